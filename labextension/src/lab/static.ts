import { mountCanvas } from '../canvas/index';
import { NO_CATALOGUE, readDocument } from '../model/document';
import type { Host } from '../model/host';
import { createWorkflowStore } from '../model/store';
import type { Document, FromPage, Opened, ToPage } from '../model/types';

/** A host with no kernel behind it: it knows one document and answers nothing else. */
class DocumentHost implements Host {
  readonly readOnly = true;
  private readonly listeners = new Set<(message: ToPage) => void>();

  constructor(private readonly document: Document) {}

  send(message: FromPage): void {
    if (message.type === 'open') for (const listener of this.listeners) listener(opened(this.document));
  }

  subscribe(listener: (message: ToPage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/**
 * Draws a document that can only be looked at.
 *
 * @param value What a notebook says is a workflow; whatever has not its shape is left out.
 * @returns A function that takes the drawing away, or null when the value is no workflow.
 */
export function drawDocument(el: HTMLElement, value: unknown): (() => void) | null {
  const document = readDocument(value);
  if (!document) return null;
  const host = new DocumentHost(document);
  return mountCanvas(el, createWorkflowStore(host), host);
}

function opened(document: Document): Opened {
  return {
    type: 'opened',
    revision: 0,
    document,
    catalogue: NO_CATALOGUE,
    ports: {},
    problems: [],
    inputs: [],
    stale: {},
    pinned: [],
    run: null,
    can_undo: false,
    can_redo: false,
  };
}
