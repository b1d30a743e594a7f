import type { Edge as FlowEdge } from '@xyflow/react';
import { split } from '../../model/document';
import type { WorkflowState } from '../../model/state';
import type { CatalogueSpec, Edge, Point, Ports } from '../../model/types';
import { BODY, estimatedHandles, estimatedSize } from '../geometry';
import { placed } from '../layout';
import { connectedPorts } from '../node/connected';
import { settingLines } from '../node/settingLines';
import { tagLook } from '../tags';
import type { CanvasNode, NoteFlowNode, WorkflowFlowNode } from '../ui';

export const NOTE_PREFIX = 'note:';
const NO_PORTS: Ports = { inputs: [], outputs: [] };
const NO_SIZE = { width: 200, height: 100 };

/** What React Flow draws for a workflow; whatever did not change keeps its identity and is not drawn again. */
export function flowNodes(previous: CanvasNode[], state: WorkflowState): CanvasNode[] {
  const known = new Map(previous.map((node) => [node.id, node]));
  const ports = new Map(Object.keys(state.document.nodes).map((id) => [id, state.portsOf(id)]));
  const estimate = (id: string) => {
    const { width, height } = estimatedSize(ports.get(id) ?? NO_PORTS, lineCount(state, id));
    return { width, height: height + (isContainer(state, id) ? BODY : 0) };
  };
  const drawn = (id: string): Point | undefined => {
    const node = known.get(id);
    if (node?.type !== 'workflow') return undefined;
    return node.data.auto ?? [node.position.x, node.position.y];
  };
  const positions = placed(state.document, (id) => sizeOf(known.get(id)) ?? estimate(id), drawn);
  const next: CanvasNode[] = [];
  for (const [id, note] of Object.entries(state.document.notes)) {
    next.push(noteNode(known.get(NOTE_PREFIX + id), id, note.at));
  }
  for (const [id, own] of ports)
    next.push(
      workflowNode(
        known.get(id),
        id,
        { ports: own, at: positions[id] ?? [0, 0], label: label(state, id) },
        estimate,
      ),
    );
  const unchanged = next.length === previous.length && next.every((node, index) => node === previous[index]);
  return unchanged ? previous : next;
}

export function sizeOf(node: CanvasNode | undefined): { width: number; height: number } | undefined {
  const { width, height } = node?.measured ?? {};
  return width && height ? { width, height } : undefined;
}

/** What a screen reader says of a node that has the focus. */
function label({ document, specs }: WorkflowState, id: string): string {
  const entry = document.nodes[id];
  return `${entry?.title || specs[entry?.type ?? '']?.title || entry?.type} (${id})`;
}

/** Whether a node has a body, or will have one as soon as somebody goes into it. */
export function isContainer({ document, specs }: WorkflowState, id: string): boolean {
  const entry = document.nodes[id];
  return entry !== undefined && (entry.body !== undefined || (specs[entry.type]?.container ?? false));
}

function lineCount({ document, specs }: WorkflowState, id: string): number {
  const entry = document.nodes[id];
  return entry
    ? settingLines(entry, specs[entry.type], connectedPorts(document.edges, id, 'target')).length
    : 0;
}

function workflowNode(
  old: CanvasNode | undefined,
  id: string,
  { ports, at, label }: { ports: Ports; at: Point; label: string },
  estimate: (id: string) => { width: number; height: number },
): CanvasNode {
  const before = old?.type === 'workflow' ? old : undefined;
  const samePorts = before !== undefined && equalPorts(before.data.ports, ports);
  if (before && samePorts && before.ariaLabel === label && isAt(before, at)) return before;
  const position = before?.dragging ? before.position : { x: at[0], y: at[1] };
  if (before && samePorts) return { ...before, position, ariaLabel: label };
  const node: WorkflowFlowNode = {
    ...before,
    id,
    type: 'workflow',
    position,
    ariaLabel: label,
    data: { ports, auto: before?.data.auto ?? at },
  };
  return { ...node, handles: estimatedHandles(ports), measured: sizeOf(before) ?? estimate(id) };
}

function noteNode(old: CanvasNode | undefined, note: string, at: Point): CanvasNode {
  if (old && isAt(old, at)) return old;
  const base: NoteFlowNode = {
    id: NOTE_PREFIX + note,
    type: 'note',
    data: { note },
    position: { x: 0, y: 0 },
    measured: NO_SIZE,
    handles: [],
    zIndex: -1,
  };
  return { ...base, ...(old?.type === 'note' ? old : {}), position: { x: at[0], y: at[1] } };
}

function isAt(node: CanvasNode, [x, y]: Point): boolean {
  return node.dragging || (node.position.x === x && node.position.y === y);
}

function equalPorts(one: Ports, other: Ports): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export type CanvasEdge = FlowEdge<{ edge: Edge }, 'workflow'>;

export function edgeId([source, target]: Edge): string {
  return `${source}->${target}`;
}

/** The edges as React Flow draws them, coloured by what leaves their source. */
export function flowEdges(
  previous: CanvasEdge[],
  edges: Edge[],
  nodes: CanvasNode[],
  selected: ReadonlySet<string>,
  catalogue: CatalogueSpec,
): CanvasEdge[] {
  const known = new Map(previous.map((edge) => [edge.id, edge]));
  const outputs = new Map(
    nodes.flatMap((node) => (node.type === 'workflow' ? [[node.id, node.data.ports.outputs] as const] : [])),
  );
  return edges.flatMap((edge) => {
    const [source, sourceHandle] = split(edge[0]);
    const [target, targetHandle] = split(edge[1]);
    if (!outputs.has(source) || !outputs.has(target)) return [];
    const tag = outputs.get(source)?.find((port) => port.name === sourceHandle)?.tag ?? 'any';
    const id = edgeId(edge);
    const className = `bz-color-${tagLook(catalogue, tag).color}`;
    const old = known.get(id);
    if (old && old.className === className && old.selected === selected.has(id)) return [old];
    const drawn: CanvasEdge = {
      id,
      type: 'workflow',
      source,
      sourceHandle,
      target,
      targetHandle,
      className,
      selected: selected.has(id),
      data: { edge },
    };
    return [drawn];
  });
}
