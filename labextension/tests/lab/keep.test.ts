import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { expect, test } from 'vitest';
import { keeper } from '../../src/lab/keep';

function output(data: object) {
  const json = { output_type: 'execute_result', execution_count: 3, data, metadata: {} };
  return { ...json, toJSON: () => json } as unknown as IRenderMime.IMimeModel & { toJSON(): object };
}

test('replaces the data of the output that is shown, and nothing else', () => {
  const [mine, other] = [output({ a: 1 }), output({ a: 1 })];
  const replaced: [number, object][] = [];
  const outputs = {
    length: 2,
    get: (index: number) => (index === 1 ? mine : other),
    set: (index: number, value: object) => void replaced.push([index, value]),
  };
  keeper({ widgets: [{ model: {} }, { model: { outputs } }] })(mine, { a: 2 });
  expect(replaced).toEqual([
    [1, { output_type: 'execute_result', execution_count: 3, data: { a: 2 }, metadata: {} }],
  ]);
});
