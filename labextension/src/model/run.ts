/** What the events of a run add up to. */
import { dict, withEntry, withoutEntry } from './dict';
import { nodesIn, placeOfAddress } from './sight';
import type { NodeRun, RunView } from './state';
import type { Event, NodeEvent, RunState } from './types';

type AnyNodeEvent = Extract<Event, { node: string }>;

/** A run of which nothing is known but its id. */
function unknownRun(id: string): RunView {
  return {
    id,
    status: 'pending',
    startedAt: Date.now(),
    places: dict(),
    nodes: dict(),
    log: [],
    saved: 0,
    done: 0,
    total: 0,
    seq: -1,
  };
}

/** The run as a canvas sees it that opens while or after it went on. */
export function replay(state: RunState): RunView {
  return { ...reduceRun(null, state.id, state.events), status: state.status };
}

/**
 * The run after a batch of events. Nodes that no event concerns stay the same objects; an event that
 * was taken in before is ignored.
 *
 * @param within The containers around what is in sight.
 */
export function reduceRun(
  before: RunView | null,
  id: string,
  events: readonly Event[],
  within: readonly string[] = [],
): RunView {
  // Of two runs at once the one that began last is shown.
  if (before && before.id !== id && events[0]?.type !== 'run.started') return before;
  const run = before?.id === id ? { ...before } : unknownRun(id);
  const fresh = events.filter((event) => event.seq > run.seq);
  const last = fresh.at(-1);
  if (!last) return before ?? run;
  // A run seen from its middle began as long ago as its events say.
  if (run.seq < 0) run.startedAt = Date.now() - last.time * 1000;
  run.seq = last.seq;
  run.places = dict(Object.entries(run.places));
  const copied = new Set<string>();
  for (const event of fresh) {
    if (!('node' in event)) {
      reduceWhole(run, event);
      continue;
    }
    const place = placeOfAddress(event.node);
    if (!run.places[place] || !copied.has(place)) {
      copied.add(place);
      run.places[place] = copyOf(run.places[place], place);
    }
    const node = run.places[place] as NodeRun;
    if (event.type !== 'token') run.log.push(event as NodeEvent);
    if (event.type === 'node.finished') run.saved += event.saved ?? 0;
    reduceNode(node, event, place, run.startedAt);
  }
  run.nodes = nodesIn(run.places, within);
  const all = Object.values(within.length > 0 ? nodesIn(run.places, []) : run.nodes);
  run.total = all.length;
  run.done = all.filter(({ status }) => !isUnderWay(status)).length;
  return run;
}

/** How many nodes inside a container are in each state. */
export function inside(run: RunView, place: string): Partial<Record<NodeRun['status'], number>> {
  const counts: Partial<Record<NodeRun['status'], number>> = {};
  for (const [inner, { status }] of Object.entries(run.places)) {
    if (inner.startsWith(`${place}/`)) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

function isUnderWay(status: NodeRun['status']): boolean {
  return status === 'waiting' || status === 'running' || status === 'asked';
}

function copyOf(node: NodeRun | undefined, place: string): NodeRun {
  const base: NodeRun = node ?? {
    status: 'waiting',
    address: place,
    open: [],
    text: dict(),
    tokens: 0,
    outputs: dict(),
    cached: false,
    saved: 0,
    questions: dict(),
  };
  return { ...base, text: dict(Object.entries(base.text)) };
}

function reduceWhole(run: RunView, event: Exclude<Event, AnyNodeEvent>): void {
  switch (event.type) {
    case 'run.started':
      run.status = 'running';
      for (const node of event.nodes) run.places[node] ??= copyOf(undefined, node);
      break;
    case 'run.paused':
      run.status = 'paused';
      // What is still under way is a container in which somebody is asked; it is told of as answered then.
      for (const [place, node] of Object.entries(run.places)) {
        if (node.status === 'running') run.places[place] = { ...node, status: 'asked', open: [] };
      }
      break;
    case 'run.resumed':
      run.status = 'running';
      break;
    case 'run.finished':
      run.status = event.status;
      run.duration = event.duration;
      if (event.output) run.output = event.output;
      if (event.usage) run.usage = event.usage;
      if (event.error) run.error = { ...event.error };
      for (const [place, node] of Object.entries(run.places)) {
        // What a cancelled or failed run never came to is not waiting any more.
        if (isUnderWay(node.status)) {
          const reason = `the run was ${event.status}`;
          run.places[place] = { ...node, status: 'skipped', reason, open: [], questions: dict() };
        }
      }
      break;
  }
}

function reduceNode(node: NodeRun, event: AnyNodeEvent, place: string, runStartedAt: number): void {
  const { node: address } = event;
  // Of several rounds at once the one that began last is shown.
  const isShown = node.address === address || node.open.length === 0;
  switch (event.type) {
    case 'node.started':
      if (node.address === address) delete node.error;
      anew(node);
      node.address = address;
      node.open = [...node.open.filter((other) => other !== address), address];
      if (address !== place) count(node, 'begun');
      node.startedAt = runStartedAt + event.time * 1000;
      if (event.why) node.why = event.why;
      break;
    case 'token':
      if (!isShown) return;
      node.text[event.port] = (node.text[event.port] ?? '') + event.text;
      node.tokens += 1;
      return;
    case 'node.progress':
      if (isShown) node.progress = { done: event.done, total: event.total, message: event.message };
      return;
    case 'node.retried':
      if (isShown) node.retry = { attempt: event.attempt, wait: event.wait, error: event.error };
      return;
    case 'node.asked':
      node.questions = withEntry(node.questions, address, event.question);
      node.open = node.open.filter((other) => other !== address);
      break;
    case 'node.answered':
      node.questions = withoutEntry(node.questions, address);
      node.open = [...node.open.filter((other) => other !== address), address];
      break;
    default:
      ended(node, event, place, isShown);
  }
  node.status = statusOf(node);
}

/** A round ended: it is finished, failed or skipped. */
function ended(
  node: NodeRun,
  event: Extract<Event, { type: 'node.finished' | 'node.failed' | 'node.skipped' }>,
  place: string,
  isShown: boolean,
): void {
  const { node: address } = event;
  if (address !== place) {
    // What was kept from an earlier run ends without a beginning.
    if (!node.open.includes(address)) count(node, 'begun');
    count(node, 'ended');
    if (event.type === 'node.failed') count(node, 'failed');
  }
  node.open = node.open.filter((other) => other !== address);
  node.questions = withoutEntry(node.questions, address);
  if (event.type === 'node.failed') node.error = event.error;
  if (!isShown) return;
  if (node.address !== address) anew(node);
  node.address = address;
  delete node.retry;
  if (event.type === 'node.skipped') {
    node.reason = event.reason;
    node.status = 'skipped';
    return;
  }
  node.duration = event.duration;
  node.status = event.type === 'node.failed' ? 'failed' : 'done';
  if (event.type === 'node.failed') return;
  node.outputs = dict(Object.entries(event.outputs));
  node.cached = event.cached ?? false;
  node.saved = event.saved ?? 0;
  if (event.usage?.output_tokens) node.tokens = event.usage.output_tokens;
}

/** Another round begins: what the one before left is shown no more, but for its error. */
function anew(node: NodeRun): void {
  Object.assign(node, { text: dict(), outputs: dict(), tokens: 0, cached: false, saved: 0 });
  for (const key of ['progress', 'retry', 'why', 'reason', 'duration'] as const) delete node[key];
}

function count(node: NodeRun, what: 'begun' | 'ended' | 'failed'): void {
  const rounds = node.rounds ?? { begun: 0, ended: 0, failed: 0 };
  node.rounds = { ...rounds, [what]: rounds[what] + 1 };
}

function statusOf(node: NodeRun): NodeRun['status'] {
  if (node.open.length > 0) return 'running';
  if (Object.keys(node.questions).length > 0) return 'asked';
  return node.status === 'running' || node.status === 'asked' ? 'done' : node.status;
}
