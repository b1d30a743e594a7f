import type { FromPage, ToPage } from './types';

/** What stands behind a canvas: a kernel, a server, or only a document. */
export interface Host {
  /** No kernel behind it: a document that can only be looked at. */
  readonly readOnly: boolean;
  send(message: FromPage): void;
  /** Calls the listener with every message until the returned function is called. */
  subscribe(listener: (message: ToPage) => void): () => void;
  /** Puts the rich output area (what `show` fills) into `el`; absent where the host has none. */
  mountOutput?(el: HTMLElement): Promise<() => void>;
}

/** The code of the `failed` message by which a host says that nobody answers any more. */
export const DISCONNECTED = 'disconnected';
