import { type ReactFlowInstance, useReactFlow } from '@xyflow/react';
import { useMemo } from 'react';
import { split } from '../model/document';
import { EMPTY_BODY } from '../model/sight';
import type { Part } from '../model/state';
import type { Point } from '../model/types';
import { type Services, useServices } from './context';
import { type CanvasEdge, edgeId, NOTE_PREFIX, sizeOf } from './flow/sync';
import { estimatedSize, WIDTH } from './geometry';
import { type Box, free, layered } from './layout';
import { fitting } from './panels/fitting';
import { runInputs } from './toolbar/inputs';
import type { CanvasNode, Loose } from './ui';

export type Actions = ReturnType<typeof createActions>;

/** Everything that a button, a key or a menu can do to the canvas. */
export function useActions(): Actions {
  const services = useServices();
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  return useMemo(() => createActions(services, flow), [services, flow]);
}

/** How the workflow is fitted into view: never larger than at 100 %. */
export const FIT = { padding: 0.08, maxZoom: 1 };

/** Text copied in a page without access to the clipboard (an iframe, an insecure address). */
let copied = '';

export function createActions({ store, ui }: Services, flow: ReactFlowInstance<CanvasNode, CanvasEdge>) {
  const workflow = () => store.getState();
  const select = (ids: string[]) => ui.getState().select(ids);
  const selectNew = (ids: string[]) => ui.getState().selectNew(ids);
  const duration = () => (prefersReducedMotion() ? 0 : 200);

  function centre(): Point {
    const box = ui.getState().root?.querySelector('.react-flow')?.getBoundingClientRect();
    if (!box) return [0, 0];
    const { x, y } = flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
    return [Math.round(x - WIDTH / 2), Math.round(y - 60)];
  }

  /** Looks into other containers, and remembers how this body was looked at. */
  function go(within: string[]): void {
    const here = workflow().within.join('/');
    ui.setState(({ views }) => ({ views: { ...views, [here]: flow.getViewport() } }));
    workflow().go(within);
  }

  /** The node that stands for another one among those of the whole workflow: its outermost container. */
  const atTop = (id: string | undefined) => workflow().within[0] ?? id;

  function fit(): void {
    void flow.fitView({ ...FIT, duration: duration() });
  }

  return {
    select,
    fit,
    centre,
    zoom(factor: number) {
      void flow.zoomTo(flow.getZoom() * factor, { duration: duration() });
    },
    /** Adds a node (in the middle, where no place is given) and connects it to a loose wire. */
    add(type: string, at?: Point, from?: Loose): string {
      const spec = workflow().specs[type];
      const size = estimatedSize(spec?.ports ?? { inputs: [], outputs: [] }, 2);
      const place = at ?? free(centre(), size, ui.getState().nodes.map(boxOf));
      const id = workflow().together(() => {
        const added = workflow().addNode(type, place);
        const [port] = from ? fitting(workflow(), from, workflow().portsOf(added)) : [];
        if (from && port) connect(from, { node: added, port: port.name });
        return added;
      });
      selectNew([id]);
      return id;
    },
    connect,
    go,
    /** Goes into a container; false where the node is none. */
    open(id: string): boolean {
      const { document, specs, within, phase } = workflow();
      const entry = document.nodes[id];
      if (!entry?.body) {
        if (!entry || !specs[entry.type]?.container || phase !== 'ready') return false;
        workflow().edit([{ path: ['nodes', id, 'body'], new: EMPTY_BODY }]);
      }
      go([...within, id]);
      return true;
    },
    /** Goes out of a container; false at the top. */
    leave(): boolean {
      const { within } = workflow();
      const container = within.at(-1);
      if (container === undefined) return false;
      go(within.slice(0, -1));
      selectNew([container]);
      return true;
    },
    reveal,
    /** Shows the node at a place such as `each/clean`, wherever it is. */
    revealPlace(place: string) {
      const within = place.split('/');
      const id = within.pop() ?? '';
      if (within.join('/') === workflow().within.join('/')) return reveal(id);
      go(within);
      selectNew([id]);
    },
    toggle(ids: string[]) {
      const nodes = ids.map((id) => workflow().document.nodes[id]);
      const disabled = !nodes.every((node) => node?.policy?.disabled) || undefined;
      workflow().together(() => {
        for (const id of ids) workflow().setPolicy(id, 'disabled', disabled);
      });
    },
    extract() {
      const { selected } = ui.getState();
      if (selected.length > 0) workflow().extract(selected);
    },
    dissolve() {
      const [id] = ui.getState().selected;
      if (id !== undefined && workflow().document.nodes[id]?.body) workflow().dissolve(id);
    },
    arrange() {
      const byId = new Map(ui.getState().nodes.map((node) => [node.id, node]));
      const { document, portsOf } = workflow();
      workflow().arrange(layered(document, (id) => sizeOf(byId.get(id)) ?? estimatedSize(portsOf(id))));
      setTimeout(fit, 50);
    },
    selectAll() {
      select(ui.getState().nodes.map(({ id }) => id));
    },
    remove() {
      const { nodes, selected, selectedEdges } = ui.getState();
      const gone = new Set(selected);
      // The edges of a removed node go with it.
      const edges = workflow().document.edges.filter(
        (edge) => selectedEdges.has(edgeId(edge)) && !edge.some((end) => gone.has(split(end)[0])),
      );
      workflow().together(() => {
        if (selected.length > 0) workflow().removeNodes(selected);
        if (edges.length > 0) workflow().disconnect(edges);
        for (const node of nodes) {
          if (node.type === 'note' && node.selected) workflow().removeNote(node.data.note);
        }
      });
    },
    duplicate() {
      const { selected } = ui.getState();
      if (selected.length > 0) selectNew(workflow().duplicate(selected));
    },
    copy() {
      const { selected } = ui.getState();
      if (selected.length === 0) return;
      copied = workflow().copy(selected);
      // Refused in some hosts: then the text is kept for this page only.
      void navigator.clipboard?.writeText(copied).catch(() => undefined);
    },
    async paste(at?: Point) {
      const text = (await navigator.clipboard?.readText().catch(() => '')) || copied;
      if (text) selectNew(workflow().paste(text, at ?? centre()));
    },
    addNote(at?: Point) {
      const id = workflow().addNote(at ?? centre());
      selectNew([NOTE_PREFIX + id]);
    },
    /** Starts a run, or marks the inputs that it lacks; inside a container a part is the whole container. */
    run({ cache, ...nodes }: Part = {}) {
      const { inputs, missing } = runInputs(workflow().inputs, ui.getState().values);
      const part: Part = { ...(cache === false && { cache }) };
      for (const key of ['target', 'only', 'since'] as const) {
        if (nodes[key] !== undefined) part[key] = atTop(nodes[key]);
      }
      const isPart = Object.keys(part).some((key) => key !== 'cache');
      ui.setState({ marked: missing.length > 0 && !isPart });
      if (missing.length === 0 || isPart) workflow().start(inputs, part);
    },
    stop() {
      workflow().stop();
    },
    show(node: string, port: string) {
      ui.setState({ drawer: true, tab: 'value' });
      workflow().show(node, port);
    },
  };

  function reveal(id: string): void {
    select([id]);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, padding: 0.4, duration: duration() });
  }

  function connect(from: Loose, to: { node: string; port: string }): void {
    const end = { node: from.node, port: from.port };
    if (from.side === 'source') workflow().connect(end, to);
    else workflow().connect(to, end);
  }
}

/** Where a node lies, with the room that it takes as it is drawn now. */
function boxOf(node: CanvasNode): Box {
  return { ...node.position, ...(sizeOf(node) ?? { width: WIDTH, height: 0 }) };
}

export function prefersReducedMotion(): boolean {
  return globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;
}
