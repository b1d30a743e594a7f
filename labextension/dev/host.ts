/** A host without a kernel, for the development page only: it accepts every change. */
import { apply, invert } from '../src/model/changes';
import type { Host } from '../src/model/host';
import type { Document, FromPage, Opened, Operation, ToPage } from '../src/model/types';
import catalogue from './catalogue.json';
import { PORTS, PROBLEMS, runEvents, scene } from './scenes';

export function devHost(name: string, run: string | null): Host {
  const listeners = new Set<(message: ToPage) => void>();
  let document = {
    bpaz: 1,
    name: 'Ask my notes',
    nodes: {},
    edges: [],
    layout: {},
    notes: {},
    groups: {},
    ...scene(name),
  } as Document;
  let [revision, timer] = [1, 0];
  const [done, undone]: Operation[][][] = [[], []];
  const say = (message: unknown) => {
    for (const listener of listeners) listener(message as ToPage);
  };
  const inputs = () =>
    Object.entries(document.nodes)
      .filter(([, entry]) => entry.type === 'ChatInput')
      .map(([node]) => ({
        name: 'question',
        node,
        port: 'question',
        title: 'Question',
        tag: 'text',
        required: true,
        default: null,
      }));
  const change = (id: string, operations: Operation[]) => {
    document = apply(document, operations);
    revision += 1;
    const undo = { can_undo: done.length > 0, can_redo: undone.length > 0 };
    say({ type: 'changed', id, revision, operations, ports: {}, problems: null, inputs: [], ...undo });
  };
  const step = (from: Operation[][], to: Operation[][]) => {
    const last = from.pop();
    if (!last) return;
    to.push(invert(last));
    change('', last);
  };
  const stream = (events: { type: string }[]) => {
    let at = 0;
    timer = window.setInterval(() => {
      say({ type: 'events', run: 'r1', events: events.slice(at, at + 1) });
      at += 1;
      if (at >= events.length) clearInterval(timer);
    }, 60);
  };
  const answers: { [T in FromPage['type']]: (message: Extract<FromPage, { type: T }>) => void } = {
    open: () =>
      say({
        type: 'opened',
        revision,
        document,
        catalogue,
        ports: name === 'containers' ? PORTS : {},
        stale: name === 'containers' ? { load: 'its setting path changed from a to b' } : {},
        pinned: [],
        problems: name === 'problems' ? PROBLEMS : [],
        inputs: inputs(),
        run: run && {
          id: 'r1',
          status: { running: 'running', failed: 'failed', paused: 'paused' }[run] ?? 'completed',
          events: runEvents(run as 'done'),
        },
        can_undo: false,
        can_redo: false,
      } satisfies Record<keyof Opened, unknown>),
    change: ({ id, operations }) => {
      done.push(invert(operations));
      undone.length = 0;
      change(id, operations);
    },
    undo: () => step(done, undone),
    redo: () => step(undone, done),
    start: () => stream(runEvents('done')),
    stop: () => {
      clearInterval(timer);
      const end = {
        type: 'run.finished',
        status: 'cancelled',
        duration: 1,
        output: null,
        usage: null,
        error: null,
      };
      say({ type: 'events', run: 'r1', events: [{ seq: 9999, time: 1, ...end }] });
    },
    answer: () => {},
    pin: () => {},
    extract: () => {},
    dissolve: () => {},
    draw: () => {},
    show: ({ node, port }) => say({ type: 'shown', node, port }),
  };
  return {
    readOnly: name === 'static',
    send: (message) => queueMicrotask(() => answers[message.type](message as never)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async mountOutput(el) {
      el.innerHTML =
        '<table><tr><th>source</th><th>score</th></tr><tr><td>kernel.md</td><td>0.81</td></tr></table>';
      return () => el.replaceChildren();
    },
  };
}
