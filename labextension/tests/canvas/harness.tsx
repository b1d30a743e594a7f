/** A whole canvas in jsdom, with a host that says what the test tells it to. */
import { act, screen } from '@testing-library/react';
import { mountCanvas } from '../../src/canvas/index';
import { createWorkflowStore } from '../../src/model/store';
import type { CatalogueSpec, Document, FieldSpec, NodeSpec, Opened } from '../../src/model/types';
import { documentOf, openedWith, port, spec, TestHost } from '../model/fake';

/** jsdom lays nothing out: every box has these sizes. */
const STAGE = { width: 1200, height: 700 };
const NODE = { width: 224, height: 120 };
const isNode = (el: Element) => el.classList.contains('react-flow__node');
const size = (el: Element) => (isNode(el) ? NODE : STAGE);

class InstantResizeObserver implements ResizeObserver {
  constructor(private readonly callback: ResizeObserverCallback) {}
  observe(target: Element): void {
    if (!isNode(target)) this.callback([{ target } as ResizeObserverEntry], this);
  }
  unobserve(): void {}
  disconnect(): void {}
}

export function layOut(): void {
  globalThis.ResizeObserver = InstantResizeObserver;
  globalThis.DOMMatrixReadOnly ??= UnitMatrix as unknown as typeof DOMMatrixReadOnly;
  const get = (side: 'width' | 'height') => ({
    configurable: true,
    get(this: Element) {
      return size(this)[side];
    },
  });
  Object.defineProperties(HTMLElement.prototype, {
    offsetWidth: get('width'),
    offsetHeight: get('height'),
    clientWidth: get('width'),
    clientHeight: get('height'),
  });
  Element.prototype.getBoundingClientRect = function () {
    return new DOMRectLike(0, 0, size(this).width, size(this).height) as DOMRect;
  };
}

/** React Flow reads the zoom from it. */
class UnitMatrix {
  readonly m22 = 1;
}

class DOMRectLike {
  constructor(
    readonly x: number,
    readonly y: number,
    readonly width: number,
    readonly height: number,
  ) {}
  readonly left = 0;
  readonly top = 0;
  get right() {
    return this.width;
  }
  get bottom() {
    return this.height;
  }
}

export function field(name: string, kind: FieldSpec['kind'], more: Partial<FieldSpec> = {}): FieldSpec {
  return {
    name,
    title: '',
    kind,
    help: '',
    default: null,
    required: false,
    choices: [],
    minimum: null,
    maximum: null,
    step: null,
    placeholder: '',
    language: '',
    advanced: false,
    credential_types: [],
    port: false,
    ...more,
  };
}

function type(base: NodeSpec, more: Partial<NodeSpec>): NodeSpec {
  return { ...base, ...more };
}

const wanted = { required: true };
export const catalogue: CatalogueSpec = {
  nodes: [
    type(spec('Reader', [], [port('documents', 'documents', { main: true })]), {
      title: 'Read files',
      category: 'data',
      summary: 'Reads text from a disk.',
      help: 'Reads text from a disk.\n\n- one document a file\n\n```\nwf.add("Reader")\n```',
      fields: [field('path', 'text', { title: 'Path', required: true, placeholder: 'notes/*.md' })],
    }),
    type(
      spec(
        'Cutter',
        [port('documents', 'documents', wanted)],
        [port('documents', 'documents', { main: true })],
      ),
      {
        title: 'Cut',
        category: 'data',
        summary: 'Cuts documents into chunks.',
        fields: [
          field('chunk_size', 'integer', { title: 'Chunk size', default: 400, minimum: 1 }),
          field('mode', 'choice', { title: 'Mode', default: 'words', choices: ['words', 'lines'] }),
          field('keep', 'boolean', { title: 'Keep', default: true }),
          field('skip', 'list', { title: 'Skip', advanced: true }),
        ],
      },
    ),
    type(
      spec(
        'Talker',
        [port('prompt', 'text')],
        [port('text', 'text', { main: true }), port('model', 'model')],
      ),
      {
        title: 'Talk',
        category: 'models',
        summary: 'Answers a prompt.',
        fields: [
          field('prompt', 'multiline', { title: 'Prompt', port: true, default: '' }),
          field('key', 'credential', { title: 'Key' }),
          field('options', 'object', { title: 'Options', default: {} }),
        ],
      },
    ),
    type(
      spec('Asker', [port('question', 'text', { source: 'run' })], [port('text', 'text', { main: true })]),
      {
        title: 'Ask',
        category: 'unlisted',
        install: 'pip install asker',
      },
    ),
  ],
  categories: [
    { name: 'models', title: 'Models', help: '', icon: 'M0 0', order: 20 },
    { name: 'data', title: 'Data', help: '', icon: 'M0 0', order: 10 },
  ],
  tags: {
    text: { title: 'Text', color: 'green', resource: false },
    documents: { title: 'Documents', color: 'blue', resource: false },
    model: { title: 'Model', color: 'purple', resource: true },
  },
  policy: [
    field('disabled', 'boolean', { title: 'Disabled', default: false }),
    field('retries', 'integer', { title: 'Retries', default: 0, minimum: 0, maximum: 20 }),
    field('on_error', 'choice', { title: 'On error', default: 'fail', choices: ['fail', 'port'] }),
  ],
  connections: {
    text: { text: '' },
    documents: { documents: '', text: 'documents_to_text' },
    model: { model: '' },
  },
};

export const chain: Document = documentOf({
  nodes: {
    read: { type: 'Reader', version: 1, settings: {} },
    cut: { type: 'Cutter', version: 1, settings: { chunk_size: 200 }, title: 'Small pieces' },
    talk: { type: 'Talker', version: 1, settings: {} },
  },
  edges: [
    ['read.documents', 'cut.documents'],
    ['cut.documents', 'talk.prompt'],
  ],
  layout: { read: [0, 0], cut: [300, 0], talk: [600, 0] },
});

/** Draws a workflow; `null` opens nothing. */
export async function draw(
  document: Document | null = chain,
  more: Partial<Opened> = {},
  host = new TestHost(),
) {
  layOut();
  const el = globalThis.document.body.appendChild(globalThis.document.createElement('div'));
  const store = createWorkflowStore(host);
  let unmount = () => {};
  await act(async () => {
    unmount = mountCanvas(el, store, host);
  });
  if (document) await act(async () => host.say(openedWith(document, { catalogue, ...more })));
  // The first fit waits for the panels around the flow.
  await act(async () => new Promise((resolve) => setTimeout(resolve, 80)));
  const remove = async () => {
    await act(async () => unmount());
    el.remove();
  };
  return { el, host, store, state: () => store.getState(), remove };
}

export function box(el: HTMLElement, id: string): HTMLElement {
  const found = el.querySelector<HTMLElement>(`.react-flow__node[data-id="${id}"]`);
  if (!found) throw new Error(`no node ${id} is drawn`);
  return found;
}

export const canvas = () => screen.getByRole('region', { name: 'Workflow canvas' });
