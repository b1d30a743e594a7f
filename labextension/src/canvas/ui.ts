import type { Node, Viewport } from '@xyflow/react';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Point, PortRef, Ports } from '../model/types';

/**
 * A node or a note as React Flow holds it; what it shows is read from the workflow by its id. `auto` is
 * where a node is drawn while the document gives it no place.
 */
export type WorkflowFlowNode = Node<{ ports: Ports; auto?: Point }, 'workflow'>;
export type NoteFlowNode = Node<{ note: string }, 'note'>;
export type CanvasNode = WorkflowFlowNode | NoteFlowNode;

/** Where a connection that is being drawn began. */
export interface Loose extends PortRef {
  side: 'source' | 'target';
}

/** The quick-add box: where it stands on the screen, and where on the canvas its node goes. */
export interface QuickAddPlace {
  screen: Point;
  at: Point;
  from?: Loose;
}

export type Tab = 'run' | 'value' | 'timeline';

export interface UiState {
  /** The canvas' outermost element. */
  root: HTMLElement | null;
  nodes: CanvasNode[];
  /** Nodes to select as soon as they are drawn. */
  coming: string[];
  /** Ids of the selected nodes, notes left out. */
  selected: string[];
  selectedEdges: ReadonlySet<string>;
  connecting: Loose | null;
  quickAdd: QuickAddPlace | null;
  palette: boolean;
  inspector: boolean;
  drawer: boolean;
  /** What the drawer shows. */
  tab: Tab;
  /** Whether the questions of a paused run are in sight. */
  questions: boolean;
  /** How each body was looked at last, by the containers around it. */
  views: Record<string, Viewport>;
  search: boolean;
  help: boolean;
  /** Whether the keyboard belongs to this canvas. */
  focused: boolean;
  width: number;
  /** What was typed for the inputs of a run, by input. */
  values: Record<string, string>;
  /** Whether inputs that a run lacks are marked. */
  marked: boolean;
  /** A sentence that goes away by itself, for instance why a connection was not made. */
  hint: string;
  setNodes(nodes: CanvasNode[]): void;
  select(ids: string[]): void;
  /** Selects nodes that were just made, as soon as they are drawn. */
  selectNew(ids: string[]): void;
}

/** Below it, panels lie over the canvas and start closed. */
export const NARROW = 900;
/** From it on, a selection opens the inspector by itself. */
export const WIDE = 1000;

export function createUiStore(): StoreApi<UiState> {
  return createStore<UiState>((set, get) => ({
    root: null,
    nodes: [],
    coming: [],
    selected: [],
    selectedEdges: new Set(),
    connecting: null,
    quickAdd: null,
    palette: false,
    inspector: false,
    drawer: false,
    tab: 'run',
    questions: true,
    views: {},
    search: false,
    help: false,
    focused: false,
    width: 0,
    values: {},
    marked: false,
    hint: '',
    setNodes(drawn) {
      const { coming } = get();
      const here = coming.length > 0 && coming.every((id) => drawn.some((node) => node.id === id));
      const nodes = here ? marked(drawn, coming) : drawn;
      if (here) set({ coming: [], selectedEdges: new Set() });
      const selected = nodes.filter((node) => node.selected && node.type === 'workflow').map(({ id }) => id);
      set({ nodes, selected: same(selected, get().selected) ? get().selected : selected });
    },
    select(ids) {
      set({ coming: [], selectedEdges: new Set() });
      get().setNodes(marked(get().nodes, ids));
    },
    selectNew(ids) {
      set({ coming: ids });
      get().setNodes(get().nodes);
    },
  }));
}

/** The nodes with exactly these selected. */
function marked(nodes: CanvasNode[], ids: string[]): CanvasNode[] {
  const wanted = new Set(ids);
  return nodes.map((node) =>
    (node.selected ?? false) === wanted.has(node.id) ? node : { ...node, selected: wanted.has(node.id) },
  );
}

function same(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
