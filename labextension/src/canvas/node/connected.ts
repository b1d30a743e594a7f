import { split } from '../../model/document';
import type { Edge } from '../../model/types';

type Index = Map<string, Set<string>>;

const NONE: ReadonlySet<string> = new Set();
/** One look through the edges serves all nodes until the edges are others. */
const indices = new WeakMap<Edge[], Record<'source' | 'target', Index>>();

/** The names of a node's ports on that side that have an edge. */
export function connectedPorts(edges: Edge[], node: string, side: 'source' | 'target'): ReadonlySet<string> {
  let index = indices.get(edges);
  if (!index) {
    index = { source: new Map(), target: new Map() };
    for (const [source, target] of edges) {
      note(index.source, source);
      note(index.target, target);
    }
    indices.set(edges, index);
  }
  return index[side].get(node) ?? NONE;
}

function note(index: Index, end: string): void {
  const [node, port] = split(end);
  const ports = index.get(node);
  if (ports) ports.add(port);
  else index.set(node, new Set([port]));
}
