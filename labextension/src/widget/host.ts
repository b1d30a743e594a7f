import { DISCONNECTED, type Host } from '../model/host';
import type { FromPage, ToPage } from '../model/types';
import { outputMount } from './output';

/** The part of anywidget's model that the canvas needs. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: string, listener: (...values: never[]) => void): void;
  off(event: string, listener: (...values: never[]) => void): void;
  widget_manager: unknown;
}

/** How long a kernel that is idle takes at most to answer, in milliseconds. */
const PATIENCE = 8_000;

const GONE: ToPage = {
  type: 'failed',
  error: {
    code: DISCONNECTED,
    message: 'The kernel does not answer.',
    hint: 'Run the cell again when the kernel is ready.',
    path: '',
  },
};

/** A host over the messages of one widget model. */
export class CommHost implements Host {
  readonly readOnly = false;
  readonly mountOutput: Host['mountOutput'];
  private readonly closers: (() => void)[] = [];
  private patience: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<(message: ToPage) => void>();

  constructor(private readonly model: Model) {
    this.mountOutput = outputMount(model);
    this.listen('msg:custom', (message: ToPage) => this.tell(message));
    // The kernel was restarted, or is back: whoever answers knows.
    this.listen('comm_live_update', () => this.send({ type: 'open' }));
  }

  send(message: FromPage): void {
    try {
      this.model.send(message);
    } catch (error) {
      // The comm is closed: the kernel has gone.
      console.warn(error);
      this.tell(GONE);
      return;
    }
    // A kernel busy with a cell may still answer later; until then the canvas does not pretend.
    if (message.type === 'open') this.patience ??= setTimeout(() => this.tell(GONE), PATIENCE);
  }

  subscribe(listener: (message: ToPage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops listening to the model. */
  close(): void {
    clearTimeout(this.patience);
    this.listeners.clear();
    for (const close of this.closers) close();
  }

  private tell(message: ToPage): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    for (const listener of this.listeners) listener(message);
  }

  private listen(event: string, listener: (message: never) => void): void {
    this.model.on(event, listener);
    this.closers.push(() => this.model.off(event, listener));
  }
}
