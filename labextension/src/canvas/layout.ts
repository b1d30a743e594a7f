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
  for (const id of missing) positions[id] = free(beside(document, id, positions), positions);
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

/** The first place downwards where no other node begins. */
export function free(wish: Point, positions: Record<string, Point>): Point {
  const points = Object.values(positions);
  let [x, y] = wish;
  while (points.some(([left, top]) => Math.abs(left - x) < 200 && Math.abs(top - y) < 140)) y += STEP[1] / 2;
  return [x, y];
}

function nodeOf(port: string): string {
  return port.slice(0, port.indexOf('.'));
}
