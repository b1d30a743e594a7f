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

/** How long a kernel takes at most to answer, in milliseconds. */
const PATIENCE = 8_000;
/**
 * How often it is asked until then. A first question may go out before the page has a line to the kernel
 * of its own (a subshell), and then waits behind the cell that runs; a later one does not.
 */
const AGAIN = 700;

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
  private again: ReturnType<typeof setInterval> | undefined;
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
    if (message.type !== 'open' || this.patience !== undefined) return;
    this.again = setInterval(() => this.send(message), AGAIN);
    // A kernel busy with a cell may still answer later; until then the canvas does not pretend.
    this.patience = setTimeout(() => this.tell(GONE), PATIENCE);
  }

  subscribe(listener: (message: ToPage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops listening to the model. */
  close(): void {
    this.rest();
    this.listeners.clear();
    for (const close of this.closers) close();
  }

  private tell(message: ToPage): void {
    this.rest();
    for (const listener of this.listeners) listener(message);
  }

  /** Stops waiting for an answer. */
  private rest(): void {
    clearTimeout(this.patience);
    clearInterval(this.again);
    this.patience = undefined;
  }

  private listen(event: string, listener: (message: never) => void): void {
    this.model.on(event, listener);
    this.closers.push(() => this.model.off(event, listener));
  }
}
