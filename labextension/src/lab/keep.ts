import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { KeepOutput } from './renderer';

/** The outputs of a code cell, as far as they matter here. */
interface Outputs {
  length: number;
  get(index: number): IRenderMime.IMimeModel & { toJSON(): object };
  set(index: number, value: object): void;
}

/** The cells of a notebook; only code cells have outputs. */
export interface NotebookCells {
  readonly widgets: readonly { model: { outputs?: Outputs } }[];
}

/**
 * Keeps data in the outputs of a notebook.
 *
 * An output model's own `setData` changes what is shown and not what is saved, so the output is replaced.
 */
export function keeper(notebook: NotebookCells): KeepOutput {
  return (output, data) => {
    for (const { model } of notebook.widgets) {
      const outputs = model.outputs;
      for (let index = 0; outputs && index < outputs.length; index++) {
        const found = outputs.get(index);
        if (found === output) outputs.set(index, { ...found.toJSON(), data });
      }
    }
  };
}
