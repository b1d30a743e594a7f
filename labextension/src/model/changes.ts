/**
 * Invertible operations on a document, the same as in `bpaz_lab/graph/changes.py`;
 * `tests/fixtures/changes.json` holds both to the same results.
 *
 * Documents are never written to: `apply` returns a new one that shares all parts that did not change.
 *
 * @example
 * const wider = apply(document, [{ path: ['layout', 'a'], old: [0, 0], new: [80, 0] }]);
 * same(apply(wider, invert(operations)), document); // true
 */
import { dict, entry, isRecord, withEntry, withoutEntry } from './dict';
import type { Body, Document, Edge, EdgeOperation, Operation, ValueOperation } from './types';

const ROOTS: unknown[] = ['name', 'nodes', 'layout', 'notes', 'groups'];
const PORT = /^[A-Za-z_][A-Za-z0-9_]{0,63}\.[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** An operation that cannot be applied: `patch` is malformed, `stale_change` expects something else. */
export class ChangeError extends Error {
  constructor(
    readonly code: 'patch' | 'stale_change',
    message: string,
    readonly path = '',
  ) {
    super(message);
    this.name = 'ChangeError';
  }
}

/**
 * The document with all operations applied.
 *
 * @throws ChangeError when one of them cannot be.
 */
export function apply(document: Document, operations: readonly Operation[]): Document {
  return operations.reduce(applyOne, document);
}

/** The operations that undo the given ones, in reverse order. */
export function invert(operations: readonly Operation[]): Operation[] {
  return operations.map(inverse).reverse();
}

function inverse(operation: Operation): Operation {
  const { old, new: replacement, ...place } = operation;
  return {
    ...place,
    ...('new' in operation && { old: replacement }),
    ...('old' in operation && { new: old }),
  } as Operation;
}

/** JSON equality. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => same(value, other[index]));
  }
  if (!isRecord(one) || !isRecord(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}

function applyOne(document: Document, operation: Operation): Document {
  if (!('old' in operation) && !('new' in operation)) {
    throw new ChangeError('patch', "An operation has an 'old' or a 'new', or both.");
  }
  const { within = [] } = operation;
  if (!areTexts(within)) throw new ChangeError('patch', "'within' is a list of containers.");
  if (within.length > 0 && 'path' in operation && same(operation.path, ['name'])) {
    throw new ChangeError('patch', 'A body has no name; set the title of its container.', 'name');
  }
  return applyWithin(document, within, operation);
}

/** The body with an operation applied to it, or to the body that the containers lead to. */
function applyWithin<B extends Body>(body: B, [container, ...inner]: string[], operation: Operation): B {
  if (container === undefined) return applyHere(body, operation);
  const holder = entry(body.nodes, container);
  if (!holder?.body) {
    throw new ChangeError(
      'stale_change',
      'The change leads into a body that is not there any more.',
      operation.within?.join('.'),
    );
  }
  const changed = { ...holder, body: applyWithin(holder.body, inner, operation) };
  return { ...body, nodes: withEntry(body.nodes, container, changed) };
}

function applyHere<B extends Body>(body: B, operation: Operation): B {
  if ('edge' in operation) return { ...body, edges: moveEdge(body.edges, operation) };
  const { path } = operation;
  if (!areTexts(path) || !ROOTS.includes(path[0])) {
    throw new ChangeError('patch', `A change must name a path that starts with one of ${ROOTS.join(', ')}.`);
  }
  if (path.length === 1 && (path[0] !== 'name' || !('new' in operation))) {
    throw new ChangeError('patch', `A change cannot replace or remove the whole of '${path[0]}'.`, path[0]);
  }
  // The document's own keys are fixed; what lies below them is a dictionary.
  const changed = replace(dict(Object.entries(body)), operation, 0);
  return { ...body, ...changed };
}

function replace(place: unknown, operation: ValueOperation, depth: number): Record<string, unknown> {
  const { path } = operation;
  const key = path[depth] as string;
  if (!isRecord(place)) {
    throw new ChangeError(
      'stale_change',
      'The change leads to a place that is not there any more.',
      path.join('.'),
    );
  }
  if (depth < path.length - 1) {
    return withEntry(place, key, replace(entry(place, key), operation, depth + 1));
  }
  const found = Object.hasOwn(place, key);
  if (found !== 'old' in operation || (found && !same(place[key], operation.old))) {
    throw new ChangeError('stale_change', 'Somebody changed it meanwhile.', path.join('.'));
  }
  return 'new' in operation ? withEntry(place, key, operation.new) : withoutEntry(place, key);
}

function moveEdge(edges: Edge[], operation: EdgeOperation): Edge[] {
  const { edge, old, new: position } = operation;
  if (!areTexts(edge) || edge.length !== 2 || !edge.every((end) => PORT.test(end))) {
    throw new ChangeError('patch', 'An edge is two ports, each written node.port.', 'edges');
  }
  if (('old' in operation && !Number.isInteger(old)) || ('new' in operation && !Number.isInteger(position))) {
    throw new ChangeError('patch', 'An edge stands at a position among the edges into its port.', 'edges');
  }
  const siblings = edges.filter(([, target]) => target === edge[1]);
  const found = siblings.findIndex(([source]) => source === edge[0]);
  if ((old ?? -1) !== found) {
    const state = found < 0 ? 'is not there' : `is already there, at position ${found}`;
    throw new ChangeError('stale_change', `The edge ${edge[0]} -> ${edge[1]} ${state}.`, 'edges');
  }
  const room = siblings.length - (found < 0 ? 0 : 1);
  if (position !== undefined && (position < 0 || position > room)) {
    throw new ChangeError(
      'patch',
      `The edge cannot stand at position ${position} of ${room} in its port.`,
      'edges',
    );
  }
  const rest = edges.filter((other) => other !== siblings[found]);
  if (position === undefined) return rest;
  const first = rest.findIndex(([, target]) => target >= edge[1]);
  const start = first < 0 ? rest.length : first;
  const place = start + position;
  return [...rest.slice(0, place), [edge[0], edge[1]], ...rest.slice(place)];
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}
