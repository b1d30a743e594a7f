/** The operations that make an edit, computed from the document as it stands. */
import { same } from './changes';
import { dict, isRecord } from './dict';
import { split } from './document';
import type { Document, Edge, NodeEntry, Operation, Point, PortRef } from './types';

/** Puts a value at a path, undefined removes what is there; nothing when nothing would change. */
export function put(document: Document, path: string[], value: unknown): Operation[] {
  let place: unknown = document;
  for (const key of path.slice(0, -1)) {
    place = isRecord(place) && Object.hasOwn(place, key) ? place[key] : undefined;
  }
  const key = path.at(-1) as string;
  const found = isRecord(place) && Object.hasOwn(place, key);
  const old = found ? { old: (place as Record<string, unknown>)[key] } : {};
  if (value === undefined) return found ? [{ path, ...old }] : [];
  return found && same(old.old, value) ? [] : [{ path, ...old, new: value }];
}

export function edgeOf(source: PortRef, target: PortRef): Edge {
  return [`${source.node}.${source.port}`, `${target.node}.${target.port}`];
}

/** Adds the edge after those that enter the same port. */
export function connect(document: Document, edge: Edge): Operation[] {
  return [{ edge, new: document.edges.filter(([, target]) => target === edge[1]).length }];
}

export function disconnect(document: Document, edges: readonly Edge[]): Operation[] {
  const gone = new Set(edges.map(String));
  const seen: Record<string, number> = dict();
  const operations: Operation[] = [];
  for (const edge of document.edges) {
    const old = seen[edge[1]] ?? 0;
    // Those that stay count; those that go have made room for the next.
    if (gone.has(String(edge))) operations.push({ edge, old });
    else seen[edge[1]] = old + 1;
  }
  return operations;
}

export function addNode(document: Document, id: string, entry: NodeEntry, at: Point): Operation[] {
  return [...put(document, ['nodes', id], entry), ...place(document, id, at)];
}

/** Removes nodes with their edges, places and memberships. */
export function removeNodes(document: Document, ids: readonly string[]): Operation[] {
  const gone = new Set(ids.filter((id) => Object.hasOwn(document.nodes, id)));
  const edges = document.edges.filter((edge) => edge.some((end) => gone.has(split(end)[0])));
  const groups = Object.entries(document.groups).flatMap(([name, group]) => {
    const left = group.nodes.filter((id) => !gone.has(id));
    return left.length > 0 || group.nodes.length === 0
      ? put(document, ['groups', name, 'nodes'], left)
      : put(document, ['groups', name], undefined);
  });
  const nodes = [...gone].flatMap((id) => [
    ...put(document, ['layout', id], undefined),
    ...put(document, ['nodes', id], undefined),
  ]);
  return [...disconnect(document, edges), ...groups, ...nodes];
}

export function move(document: Document, positions: Record<string, Point>): Operation[] {
  return Object.entries(positions)
    .filter(([id]) => Object.hasOwn(document.nodes, id))
    .flatMap(([id, at]) => place(document, id, at));
}

/** Whole pixels, so that a file shows no noise. */
export function whole([x, y]: Point): Point {
  return [Math.round(x) + 0, Math.round(y) + 0];
}

function place(document: Document, id: string, at: Point): Operation[] {
  return put(document, ['layout', id], whole(at));
}
