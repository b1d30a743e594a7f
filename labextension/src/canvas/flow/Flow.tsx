import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  type EdgeChange,
  type NodeChange,
  ReactFlow,
  useReactFlow,
} from '@xyflow/react';
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { Point } from '../../model/types';
import { FIT, useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { WorkflowNode } from '../node/WorkflowNode';
import { DRAG_TYPE } from '../panels/Palette';
import type { CanvasNode } from '../ui';
import { ConnectionTip } from './ConnectionTip';
import { NoteNode } from './NoteNode';
import { type CanvasEdge, flowEdges, flowNodes, NOTE_PREFIX } from './sync';
import { useConnecting } from './useConnecting';
import { WorkflowEdge } from './WorkflowEdge';
import { ZoomControls } from './ZoomControls';

const NODE_TYPES = { workflow: WorkflowNode, note: NoteNode };
const EDGE_TYPES = { workflow: WorkflowEdge };
const KEYBOARD_PAUSE = 300;

/** The workflow as React Flow draws it. Dragging is local until the node is dropped. */
export function Flow() {
  const { store, ui } = useServices();
  const actions = useActions();
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const nodes = useDrawnNodes();
  const edges = useDrawnEdges(nodes);
  const editable = useWorkflow((state) => state.phase === 'ready');
  const focused = useUi((state) => state.focused);
  const connecting = useConnecting();
  const id = useId().replaceAll(':', '');
  const place = useWorkflow((state) => state.within.join('/'));
  const onNodesChange = useNodeChanges();

  const onEdgesChange = useCallback(
    (changes: EdgeChange<CanvasEdge>[]) => {
      const selected = new Set(ui.getState().selectedEdges);
      for (const change of changes) {
        if (change.type === 'select') selected[change.selected ? 'add' : 'delete'](change.id);
      }
      ui.setState({ selectedEdges: selected });
    },
    [ui],
  );

  const placeOf = (event: { clientX: number; clientY: number }): Point => {
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    return [Math.round(x), Math.round(y)];
  };

  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      // Another body has other nodes, though their ids may be the same.
      key={place}
      // Several canvases may stand in one notebook.
      id={id}
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onNodeDragStop={(_, __, moved) => commitMoves(store.getState(), moved, ui.getState().nodes)}
      onNodeDoubleClick={(_, node) => {
        if (node.type === 'workflow' && !actions.open(node.id)) ui.setState({ inspector: true });
      }}
      {...connecting}
      onDoubleClick={(event) => {
        if (!editable || !(event.target as Element).classList.contains('react-flow__pane')) return;
        ui.setState({ quickAdd: { screen: [event.clientX, event.clientY], at: placeOf(event) } });
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        const type = event.dataTransfer.getData(DRAG_TYPE);
        if (!type || !editable) return;
        event.preventDefault();
        const [x, y] = placeOf(event);
        actions.add(type, [x - 24, y - 18]);
      }}
      nodesDraggable={editable}
      nodesConnectable={editable}
      edgesReconnectable={editable}
      deleteKeyCode={null}
      zoomOnDoubleClick={false}
      zoomOnScroll={focused}
      preventScrolling={focused}
      onlyRenderVisibleElements
      minZoom={0.05}
      maxZoom={2}
      connectionRadius={28}
      aria-label="Workflow"
    >
      <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} />
      <ZoomControls />
      <ConnectionTip />
    </ReactFlow>
  );
}

/** Brings the workflow's nodes into the flow whenever the workflow, its types or its ports are others. */
function useDrawnNodes(): CanvasNode[] {
  const { store, ui } = useServices();
  const flow = useReactFlow();
  const document = useWorkflow((state) => state.document);
  const specs = useWorkflow((state) => state.specs);
  const revision = useWorkflow((state) => state.revision);
  const place = useWorkflow((state) => state.within.join('/'));
  const drawn = useRef(place);
  useLayoutEffect(() => {
    if (drawn.current === place) return;
    drawn.current = place;
    const { setNodes } = ui.getState();
    ui.setState({ nodes: [], selected: [], selectedEdges: new Set(), connecting: null, quickAdd: null });
    setNodes(flowNodes([], store.getState()));
  }, [place, store, ui]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: they say when to read the store
  useEffect(() => {
    const { nodes, setNodes } = ui.getState();
    const next = flowNodes(nodes, store.getState());
    if (next !== nodes) setNodes(next);
  }, [document, specs, revision, store, ui]);
  // Once the panels around the flow have found their places.
  const drawable = useUi(({ nodes, width }) => nodes.length > 0 && width > 0);
  useEffect(() => {
    if (!drawable) return;
    const view = ui.getState().views[place];
    const show = () => void (view ? flow.setViewport(view) : flow.fitView(FIT));
    const timer = setTimeout(show, 60);
    return () => clearTimeout(timer);
  }, [drawable, flow, place, ui]);
  return useUi((state) => state.nodes);
}

function useDrawnEdges(nodes: CanvasNode[]): CanvasEdge[] {
  const edges = useWorkflow((state) => state.document.edges);
  const catalogue = useWorkflow((state) => state.catalogue);
  const selected = useUi((state) => state.selectedEdges);
  const [drawn, setDrawn] = useState<CanvasEdge[]>([]);
  // A drag makes new node objects every frame, which do not matter to edges: only their ports do.
  const ports = nodes.map((node) => node.type === 'workflow' && node.data.ports);
  const stable = useRef(ports);
  if (ports.length !== stable.current.length || ports.some((port, index) => port !== stable.current[index])) {
    stable.current = ports;
  }
  const key = stable.current;
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    setDrawn((previous) => flowEdges(previous, edges, nodes, selected, catalogue));
  }, [edges, key, selected, catalogue]);
  return drawn;
}

function useNodeChanges() {
  const { store, ui } = useServices();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  return useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      const { nodes, setNodes } = ui.getState();
      const measured = new Set(changes.flatMap((change) => (change.type === 'dimensions' ? change.id : [])));
      const next = applyNodeChanges(changes, nodes).map((node) =>
        // What was measured counts from now on, no longer what was estimated.
        measured.has(node.id) && node.handles ? { ...node, handles: undefined } : node,
      );
      setNodes(next);
      const moved = changes.flatMap((change) =>
        change.type === 'position' && change.dragging === false ? change.id : [],
      );
      if (moved.length === 0) return;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        const { nodes: now } = ui.getState();
        commitMoves(
          store.getState(),
          now.filter(({ selected }) => selected),
          now,
        );
      }, KEYBOARD_PAUSE);
    },
    [store, ui],
  );
}

/**
 * One undo step for everything that was moved; what stands where it stood is left out. Nodes without a
 * place in the document (added in a cell) get the one where they are drawn, so that they stay there.
 */
function commitMoves(
  state: {
    document: { layout: Record<string, Point>; notes: Record<string, { at: Point }> };
    phase: string;
    move(positions: Record<string, Point>): void;
    setNote(id: string, part: { at: Point }): void;
  },
  moved: CanvasNode[],
  all: CanvasNode[],
): void {
  if (state.phase !== 'ready') return;
  const positions: Record<string, Point> = {};
  for (const node of moved) {
    const at: Point = [Math.round(node.position.x), Math.round(node.position.y)];
    if (node.type === 'workflow') {
      if (!samePoint(state.document.layout[node.id], at)) positions[node.id] = at;
    } else {
      const id = node.id.slice(NOTE_PREFIX.length);
      if (state.document.notes[id] && !samePoint(state.document.notes[id].at, at)) state.setNote(id, { at });
    }
  }
  if (Object.keys(positions).length === 0) return;
  for (const { id, type, position } of all) {
    if (type === 'workflow' && !state.document.layout[id]) {
      positions[id] ??= [Math.round(position.x), Math.round(position.y)];
    }
  }
  state.move(positions);
}

function samePoint(one: Point | undefined, [x, y]: Point): boolean {
  return one !== undefined && one[0] === x && one[1] === y;
}
