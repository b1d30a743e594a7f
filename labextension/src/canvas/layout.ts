import { layout as dagreLayout, Graph } from '@dagrejs/dagre';
import type { Document, Point } from '../model/types';

export type Sizes = (id: string) => { width: number; height: number };

const GAP = { nodesep: 56, ranksep: 56, marginx: 24, marginy: 24 };
const STEP: Point = [280, 160];

/** Positions of the upper left corners, in layers from left to right (Sugiyama, by dagre). */
export function layered(document: Document, sizes: Sizes): Record<string, Point> {
  const graph = new Graph({ multigraph: false }).setGraph({ rankdir: 'LR', ...GAP });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of Object.keys(document.nodes)) graph.setNode(id, { ...sizes(id) });
  for (const [source, target] of document.edges) {
    const [from, to] = [nodeOf(source), nodeOf(target)];
    if (from in document.nodes && to in document.nodes) graph.setEdge(from, to);
  }
  dagreLayout(graph);
  return Object.fromEntries(
    graph.nodes().map((id) => {
      const { x, y, width, height } = graph.node(id) as Record<'x' | 'y' | 'width' | 'height', number>;
      return [id, [Math.round(x - width / 2), Math.round(y - height / 2)] as Point];
    }),
  );
}

/**
 * Where every node is drawn: where the document says, and where it says nothing (a node added in a
 * cell), where it is drawn already, else right of what feeds it or below everything.
 */
export function placed(
  document: Document,
  sizes: Sizes,
  drawn: (id: string) => Point | undefined = () => undefined,
): Record<string, Point> {
  const ids = Object.keys(document.nodes);
  const positions: Record<string, Point> = {};
  for (const id of ids) {
    const known = document.layout[id] ?? drawn(id);
    if (known) positions[id] = known;
  }
  const missing = ids.filter((id) => !positions[id]);
  if (missing.length > 0 && missing.length === ids.length) return layered(document, sizes);
  for (const id of missing) {
    const taken = Object.entries(positions).map(([other, [x, y]]) => ({ x, y, ...sizes(other) }));
    positions[id] = free(beside(document, id, positions), sizes(id), taken);
  }
  return positions;
}

function beside(document: Document, id: string, positions: Record<string, Point>): Point {
  const feeding = document.edges
    .filter(([, target]) => nodeOf(target) === id)
    .flatMap(([source]) => [positions[nodeOf(source)]])
    .filter((point) => point !== undefined);
  const points = Object.values(positions);
  return feeding.length > 0
    ? [Math.max(...feeding.map(([x]) => x)) + STEP[0], Math.min(...feeding.map(([, y]) => y))]
    : [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([, y]) => y)) + STEP[1]];
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The first place downwards where a node lies on no other. */
export function free(wish: Point, size: { width: number; height: number }, taken: Box[]): Point {
  const [x] = wish;
  let [, y] = wish;
  const inTheWay = (box: Box) =>
    box.x < x + size.width && x < box.x + box.width && box.y < y + size.height && y < box.y + box.height;
  for (let box = taken.find(inTheWay); box; box = taken.find(inTheWay)) y = box.y + box.height + GAP.nodesep;
  return [x, y];
}

function nodeOf(port: string): string {
  return port.slice(0, port.indexOf('.'));
}
