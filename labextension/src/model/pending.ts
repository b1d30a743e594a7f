/**
 * Own changes that the host has not answered yet.
 *
 * What a view shows is the host's document with the pending changes on top. One that does not fit any
 * more is left out of sight and kept until the host, who alone decides, confirms or refuses it.
 */
import { apply, ChangeError, same } from './changes';
import type { Document, Operation } from './types';

interface Pending {
  id: string;
  operations: Operation[];
}

export class Pendings {
  private base: Document;
  private waiting: Pending[] = [];
  /** Ids of waiting changes that do not fit the host's document as it is now. */
  private hidden = new Set<string>();

  constructor(document: Document) {
    this.base = document;
  }

  /** The host's document again from the start; what waits still waits. */
  reset(document: Document): Document {
    this.base = document;
    return this.shown();
  }

  add(id: string, operations: Operation[]): void {
    this.waiting.push({ id, operations });
  }

  /**
   * A change took place at the host.
   *
   * @param shown What the view shows until now.
   * @returns What it shows from now on.
   * @throws ChangeError when the view is out of step with its host.
   */
  confirm(id: string, operations: Operation[], shown: Document): Document {
    this.base = apply(this.base, operations);
    const [first] = this.waiting;
    this.waiting = this.waiting.filter((pending) => pending.id !== id);
    const inSight = first?.id === id && !this.hidden.has(id) && same(first.operations, operations);
    if (!inSight) return this.shown();
    if (this.waiting.length === 0) this.base = shown;
    return shown;
  }

  /** The host refused a change; undefined when it is none of this view's. */
  refuse(id: string): Document | undefined {
    if (!this.waiting.some((pending) => pending.id === id)) return undefined;
    this.waiting = this.waiting.filter((pending) => pending.id !== id);
    return this.shown();
  }

  private shown(): Document {
    this.hidden.clear();
    return this.waiting.reduce((document, { id, operations }) => {
      try {
        return apply(document, operations);
      } catch (error) {
        if (!(error instanceof ChangeError)) throw error;
        this.hidden.add(id);
        return document;
      }
    }, this.base);
  }
}
