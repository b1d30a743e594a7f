/**
 * How a live canvas in a cell tells the renderer around it that it has taken over the drawing.
 *
 * The two are bundled apart and know each other by this event alone. It bubbles up from the canvas's element.
 */
import type { Document } from './types';

export const LIVE = 'bpaz:live';

export interface LiveDetail {
  /** Set by a renderer that keeps what it is given in the notebook's file. */
  keep?: (document: Document, picture: string) => void;
  /** Resolves when the canvas is gone, with the workflow as it showed it last; null if it never did. */
  ended: Promise<Document | null>;
}
