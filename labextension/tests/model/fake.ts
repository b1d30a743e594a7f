/** A host in memory that says what the test tells it to. */

import type { Host } from '../../src/model/host';
import { createWorkflowStore } from '../../src/model/store';
import type {
  CatalogueSpec,
  Document,
  FromPage,
  NodeSpec,
  Opened,
  PortSpec,
  ToPage,
} from '../../src/model/types';

export class TestHost implements Host {
  readonly sent: FromPage[] = [];
  private listeners = new Set<(message: ToPage) => void>();

  constructor(readonly readOnly = false) {}

  send(message: FromPage): void {
    this.sent.push(message);
  }

  subscribe(listener: (message: ToPage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  say(message: ToPage): void {
    // As over a comm: nothing is shared with the sender.
    for (const listener of this.listeners) listener(JSON.parse(JSON.stringify(message)));
  }

  /** The last message of a type. */
  last<T extends FromPage['type']>(type: T): Extract<FromPage, { type: T }> {
    const found = this.sent.filter((message) => message.type === type).at(-1);
    if (!found) throw new Error(`no ${type} was sent`);
    return found as Extract<FromPage, { type: T }>;
  }
}

export function port(name: string, tag: string, more: Partial<PortSpec> = {}): PortSpec {
  const none = { title: '', help: '', required: false, many: false, main: false, needs: [] };
  return { ...none, source: 'wire', name, tag, ...more };
}

export function spec(type: string, inputs: PortSpec[], outputs: PortSpec[], version = 1): NodeSpec {
  return {
    type,
    version,
    category: 'test',
    title: type,
    summary: '',
    help: '',
    effect: 'pure',
    fields: [],
    ports: { inputs, outputs },
    dynamic: false,
    container: false,
    starter: null,
    collects: false,
    install: '',
    package: 'test',
  };
}

export const catalogue: CatalogueSpec = {
  nodes: [
    spec('Source', [port('ask', 'text', { source: 'run' })], [port('text', 'text'), port('model', 'model')]),
    spec(
      'TextSink',
      [port('text', 'text', { title: 'The text' }), port('all', 'text', { many: true })],
      [port('out', 'text')],
      3,
    ),
  ],
  categories: [],
  tags: {
    text: { title: 'Text', color: 'green', resource: false },
    model: { title: 'Language model', color: 'purple', resource: true },
  },
  connections: { text: { text: '' }, model: { model: '' }, documents: { text: 'documents_to_text' } },
  policy: [],
};

export function documentOf(part: Partial<Document> = {}): Document {
  return { bpaz: 1, name: 'Test', nodes: {}, edges: [], layout: {}, notes: {}, groups: {}, ...part };
}

export const pair = documentOf({
  nodes: {
    source: { type: 'Source', version: 1, settings: { x: 1 } },
    sink: { type: 'TextSink', version: 3, settings: {} },
  },
  edges: [['source.text', 'sink.text']],
  layout: { source: [0, 10], sink: [200, 0] },
});

export function openedWith(document: Document, more: Partial<Opened> = {}): Opened {
  return {
    type: 'opened',
    revision: 0,
    document,
    catalogue,
    ports: {},
    problems: [],
    inputs: [],
    stale: {},
    pinned: [],
    run: null,
    can_undo: false,
    can_redo: false,
    ...more,
  };
}

/** A store that is ready, and its host. */
export function readyStore(document: Document = pair) {
  const host = new TestHost();
  const store = createWorkflowStore(host);
  host.say(openedWith(document));
  return { host, store, state: () => store.getState() };
}

export function changed(id: string, revision: number, operations: unknown[], more: object = {}): ToPage {
  const none = { ports: {}, problems: null, inputs: null, stale: null, pinned: null };
  const undo = { can_undo: true, can_redo: false };
  return { type: 'changed', id, revision, operations, ...none, ...undo, ...more } as ToPage;
}

export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
