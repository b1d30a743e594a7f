/** Reading a document that somebody else wrote: what has not its shape is left out. */
import { dict, isRecord } from './dict';
import type { Body, CatalogueSpec, Document, Edge, Group, NodeEntry, Note, Point } from './types';

const ID = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

export const EMPTY: Document = {
  bpaz: 1,
  name: '',
  nodes: dict(),
  edges: [],
  layout: dict(),
  notes: dict(),
  groups: dict(),
};

export const NO_CATALOGUE: CatalogueSpec = {
  nodes: [],
  categories: [],
  tags: {},
  connections: {},
  policy: [],
};

/** A document in normal form, or null when the value is none. */
export function readDocument(value: unknown): Document | null {
  if (!isRecord(value) || value.bpaz !== 1) return null;
  return {
    bpaz: 1,
    name: typeof value.name === 'string' ? value.name : '',
    ...readBody(value),
  };
}

function readBody(value: Record<string, unknown>): Body {
  return {
    nodes: section(value.nodes, readNode),
    edges: readEdges(value.edges),
    layout: section(value.layout, readPoint),
    notes: section(value.notes, readNote),
    groups: section(value.groups, readGroup),
  };
}

/** The two names of `node.port`. */
export function split(end: string): [node: string, port: string] {
  const dot = end.indexOf('.');
  return [end.slice(0, dot), end.slice(dot + 1)];
}

function section<T>(value: unknown, read: (value: unknown) => T | null): Record<string, T> {
  const made: [string, T][] = [];
  for (const [id, part] of Object.entries(isRecord(value) ? value : {})) {
    const found = ID.test(id) ? read(part) : null;
    if (found !== null) made.push([id, found]);
  }
  return dict(made);
}

function readNode(value: unknown): NodeEntry | null {
  if (!isRecord(value) || typeof value.type !== 'string') return null;
  const { title, version, settings, body, ...rest } = value;
  return {
    ...rest,
    type: value.type,
    version: typeof version === 'number' ? version : 1,
    settings: isRecord(settings) ? settings : {},
    ...(typeof title === 'string' && { title }),
    ...(isRecord(body) && { body: readBody(body) }),
  };
}

function readEdges(value: unknown): Edge[] {
  const isEnd = (end: unknown) => typeof end === 'string' && /^\w+\.\w+$/.test(end);
  const edges = (Array.isArray(value) ? value : []).filter(
    (edge) => Array.isArray(edge) && edge.length === 2 && edge.every(isEnd),
  ) as Edge[];
  return [...edges].sort(byTarget);
}

function byTarget([, one]: Edge, [, other]: Edge): number {
  return one < other ? -1 : Number(one > other);
}

function readPoint(value: unknown): Point | null {
  const isPoint = Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
  return isPoint ? [value[0], value[1]] : null;
}

function readNote(value: unknown): Note | null {
  const at = isRecord(value) ? readPoint(value.at) : null;
  if (!isRecord(value) || typeof value.text !== 'string' || !at) return null;
  const size = readPoint(value.size);
  return {
    text: value.text,
    at,
    ...(size && { size }),
    ...(typeof value.color === 'string' && { color: value.color }),
  };
}

function readGroup(value: unknown): Group | null {
  if (!isRecord(value) || typeof value.title !== 'string' || !Array.isArray(value.nodes)) return null;
  return {
    title: value.title,
    nodes: value.nodes.filter((id) => typeof id === 'string'),
    ...(typeof value.color === 'string' && { color: value.color }),
  };
}
