/** What the events of a run add up to. */
import { dict } from './dict';
import type { NodeRun, RunView } from './state';
import type { Event, RunState } from './types';

type NodeEvent = Extract<Event, { type: `node.${string}` | 'token' }>;

/** A run of which nothing is known but its id. */
function unknownRun(id: string): RunView {
  return {
    id,
    status: 'pending',
    startedAt: Date.now(),
    nodes: dict(),
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
 */
export function reduceRun(before: RunView | null, id: string, events: readonly Event[]): RunView {
  // Of two runs at once the one that began last is shown.
  if (before && before.id !== id && events[0]?.type !== 'run.started') return before;
  const run = before?.id === id ? { ...before } : unknownRun(id);
  const fresh = events.filter((event) => event.seq > run.seq);
  const last = fresh.at(-1);
  if (!last) return before ?? run;
  // A run seen from its middle began as long ago as its events say.
  if (run.seq < 0) run.startedAt = Date.now() - last.time * 1000;
  run.seq = last.seq;
  run.nodes = dict(Object.entries(run.nodes));
  const copied = new Set<string>();
  for (const event of fresh) {
    if (!('node' in event) || event.type === 'run.paused') {
      reduceWhole(run, event);
      continue;
    }
    const node = run.nodes[event.node];
    if (!node || !copied.has(event.node)) {
      copied.add(event.node);
      run.nodes[event.node] = copyOf(node);
    }
    reduceNode(run.nodes[event.node] as NodeRun, event, run.startedAt);
  }
  const all = Object.values(run.nodes);
  run.total = all.length;
  run.done = all.filter((node) => node.status !== 'waiting' && node.status !== 'running').length;
  return run;
}

function copyOf(node: NodeRun | undefined): NodeRun {
  const base = node ?? { status: 'waiting', tokens: 0, cached: false, text: dict(), outputs: dict() };
  return { ...base, text: dict(Object.entries(base.text)) };
}

function reduceWhole(run: RunView, event: Exclude<Event, NodeEvent>): void {
  switch (event.type) {
    case 'run.started':
      run.status = 'running';
      for (const node of event.nodes) run.nodes[node] ??= copyOf(undefined);
      break;
    case 'run.paused':
      run.status = 'paused';
      break;
    case 'run.finished':
      run.status = event.status;
      run.duration = event.duration;
      if (event.output) run.output = event.output;
      if (event.usage) run.usage = event.usage;
      if (event.error) run.error = { ...event.error };
      for (const [id, node] of Object.entries(run.nodes)) {
        // What a cancelled or failed run never came to is not waiting any more.
        if (node.status === 'waiting' || node.status === 'running') {
          run.nodes[id] = { ...node, status: 'skipped', reason: `the run was ${event.status}` };
        }
      }
      break;
  }
}

function reduceNode(node: NodeRun, event: NodeEvent, runStartedAt: number): void {
  switch (event.type) {
    case 'node.started':
      node.status = 'running';
      node.startedAt = runStartedAt + event.time * 1000;
      break;
    case 'token':
      node.text[event.port] = (node.text[event.port] ?? '') + event.text;
      node.tokens += 1;
      break;
    case 'node.progress':
      node.progress = { done: event.done, total: event.total, message: event.message };
      break;
    case 'node.finished':
      node.status = 'done';
      node.duration = event.duration;
      node.outputs = dict(Object.entries(event.outputs));
      node.cached = event.cached ?? false;
      if (event.usage?.output_tokens) node.tokens = event.usage.output_tokens;
      break;
    case 'node.failed':
      node.status = 'failed';
      node.duration = event.duration;
      node.error = event.error;
      break;
    case 'node.skipped':
      node.status = 'skipped';
      node.reason = event.reason;
      break;
  }
}
