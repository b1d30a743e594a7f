/** Copied nodes travel as the text of a small workflow, so that they may cross notebooks and be pasted into a file. */
import { dict } from './dict';
import { readDocument, split } from './document';
import { uniqueId } from './ids';
import { whole } from './operations';
import type { Document, Edge, Operation, Point } from './types';

/** What an insertion does, and the ids it gives. */
export interface Insertion {
  operations: Operation[];
  ids: string[];
}

/** The nodes and notes of these ids and the edges among them, as a document of its own. */
export function excerpt(document: Document, ids: readonly string[]): Document {
  const wanted = new Set(ids);
  const only = <T>(part: Record<string, T>) => dict(Object.entries(part).filter(([id]) => wanted.has(id)));
  return {
    ...document,
    nodes: only(document.nodes),
    layout: only(document.layout),
    notes: only(document.notes),
    edges: document.edges.filter((edge) => edge.every((end) => wanted.has(split(end)[0]))),
    groups: dict(),
  };
}

/** The document that a text holds, or null when it holds none. */
export function readClipboard(text: string): Document | null {
  try {
    return readDocument(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Adds all of `part` under new ids, moved by an offset. */
export function insert(document: Document, part: Document, [dx, dy]: Point): Insertion {
  const names = new Map<string, string>();
  for (const id of [...Object.keys(part.nodes), ...Object.keys(part.notes)]) {
    const taken = new Set(names.values());
    const isTaken = (name: string) =>
      taken.has(name) || Object.hasOwn(document.nodes, name) || Object.hasOwn(document.notes, name);
    names.set(id, uniqueId(id, isTaken));
  }
  const renamed = (end: string) => {
    const [node, port] = split(end);
    return names.has(node) ? `${names.get(node)}.${port}` : null;
  };
  const at = ([x, y]: Point): Point => whole([x + dx, y + dy]);
  const operations: Operation[] = [];
  for (const [id, name] of names) {
    const { [id]: node } = part.nodes;
    const note = part.notes[id];
    if (node) {
      operations.push({ path: ['nodes', name], new: node });
      operations.push({ path: ['layout', name], new: at(part.layout[id] ?? [0, 0]) });
    } else if (note) {
      operations.push({ path: ['notes', name], new: { ...note, at: at(note.at) } });
    }
  }
  const places: Record<string, number> = dict();
  for (const [source, target] of part.edges) {
    const edge = [renamed(source), renamed(target)];
    if (edge[0] === null || edge[1] === null) continue;
    const position = places[target] ?? 0;
    places[target] = position + 1;
    operations.push({ edge: edge as Edge, new: position });
  }
  return { operations, ids: [...names.values()] };
}

/** The upper left corner of everything that a document places. */
export function corner(document: Document): Point {
  const points = [
    ...Object.keys(document.nodes).map((id): Point => document.layout[id] ?? [0, 0]),
    ...Object.values(document.notes).map((note) => note.at),
  ];
  if (points.length === 0) return [0, 0];
  return [Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y))];
}
