/**
 * What is in sight: the workflow, or the body of a container in it. The rest of the canvas draws and edits
 * `document`, whichever of the two that is.
 */
import { dict, entry } from './dict';
import type { WorkflowState } from './state';
import type { Body, Document, NodeEntry, Problem } from './types';

export const EMPTY_BODY: Body = { nodes: dict(), edges: [], layout: dict(), notes: dict(), groups: dict() };

type Whole = Pick<WorkflowState, 'whole' | 'within' | 'problems' | 'run'>;
type Sight = Pick<WorkflowState, 'within' | 'document' | 'problemsOf' | 'run'>;

/** What is seen from inside these containers; from further up where one of them is gone. */
export function sight({ whole, within, problems, run }: Whole): Sight {
  const there = existing(whole, within);
  return {
    within: there.length === within.length ? within : there,
    document: shown(whole, there),
    problemsOf: located(problems, there),
    run: run && { ...run, nodes: nodesIn(run.places, there) },
  };
}

/** The id of a node in sight with the containers around it: `each/clean`. */
export function placeOf(within: readonly string[], id: string): string {
  return [...within, id].join('/');
}

/** The place of an address, which names rounds too: `each[3]/clean` stands at `each/clean`. */
export function placeOfAddress(address: string): string {
  return address.replace(/\[[^\]/]*\]/g, '');
}

/** What is known by place, of the nodes right inside these containers, by id. */
export function nodesIn<T>(places: Record<string, T>, within: readonly string[]): Record<string, T> {
  const prefix = within.map((container) => `${container}/`).join('');
  const found: [string, T][] = [];
  for (const [place, value] of Object.entries(places)) {
    const id = place.slice(prefix.length);
    if (place.startsWith(prefix) && !id.includes('/')) found.push([id, value]);
  }
  return dict(found);
}

/** All nodes with their places, those inside containers too. */
export function* walk(
  body: Body,
  within: readonly string[] = [],
): Generator<[place: string, node: NodeEntry]> {
  for (const [id, node] of Object.entries(body.nodes)) {
    yield [placeOf(within, id), node];
    if (node.body) yield* walk(node.body, [...within, id]);
  }
}

function existing(whole: Document, within: string[]): string[] {
  let body: Body | undefined = whole;
  const there: string[] = [];
  for (const container of within) {
    body = entry(body.nodes, container)?.body;
    if (!body) break;
    there.push(container);
  }
  return there;
}

const documents = new WeakMap<Body, Document>();

/** The same object as long as the body is the same, so that nothing is drawn again. */
function shown(whole: Document, within: string[]): Document {
  if (within.length === 0) return whole;
  const body = within.reduce<Body>((outer, id) => entry(outer.nodes, id)?.body ?? EMPTY_BODY, whole);
  const known = documents.get(body);
  if (known?.name === whole.name) return known;
  const made: Document = { bpaz: 1, name: whole.name, ...body };
  documents.set(body, made);
  return made;
}

/** Problems by the node in sight that their path leads to; paths begin at what is in sight. */
function located(problems: Problem[], within: string[]): Record<string, Problem[]> {
  const prefix = within.map((container) => `nodes.${container}.body.`).join('');
  const problemsOf: Record<string, Problem[]> = dict();
  for (const problem of problems) {
    if (!problem.path.startsWith(prefix)) continue;
    const path = problem.path.slice(prefix.length);
    const [root, id] = path.split('.');
    if (root === 'nodes' && id) problemsOf[id] = [...(problemsOf[id] ?? []), { ...problem, path }];
  }
  return problemsOf;
}
