import { expect, test } from 'vitest';
import { inside, reduceRun, replay } from '../../src/model/run';
import type { Event } from '../../src/model/types';

/** Events numbered from a first number on, half a second apart. */
function events(first: number, ...parts: object[]): Event[] {
  return parts.map((part, index) => ({ seq: first + index, time: (first + index) / 2, ...part }) as Event);
}

const started = { type: 'run.started', run: 'r', workflow: 'w', nodes: ['a', 'b', 'constructor'] };
const start = events(0, started, { type: 'node.started', node: 'a' });

test('nodes wait, run and are done', () => {
  const run = reduceRun(null, 'r', start);
  expect(run).toMatchObject({ id: 'r', status: 'running', total: 3, done: 0 });
  expect(run.nodes.a).toMatchObject({ status: 'running', startedAt: run.startedAt + 500 });
  expect(run.nodes.constructor).toMatchObject({ status: 'waiting', tokens: 0 });
  const outputs = { text: { type: 'str', text: 'Hi' } };
  const usage = { input_tokens: 3, output_tokens: 7 };
  const finished = reduceRun(
    run,
    'r',
    events(2, { type: 'node.finished', node: 'a', duration: 0.5, outputs, usage, cached: true }),
  );
  expect(finished.nodes.a).toMatchObject({ status: 'done', duration: 0.5, outputs, tokens: 7, cached: true });
  expect(finished.done).toBe(1);
});

test('text is appended by port; other nodes and the earlier view stay as they are', () => {
  const before = reduceRun(null, 'r', start);
  const token = (text: string, port = 'text') => ({ type: 'token', node: 'a', port, text });
  const once = reduceRun(before, 'r', events(2, token('Hel'), token('lo'), token('!', 'other')));
  const twice = reduceRun(once, 'r', events(5, token(' you')));
  expect(once.nodes.a?.text).toMatchObject({ text: 'Hello', other: '!' });
  expect(twice.nodes.a?.text.text).toBe('Hello you');
  expect(twice.nodes.a?.tokens).toBe(4);
  expect(twice.nodes.b).toBe(before.nodes.b);
  expect(before.nodes.a?.text).toEqual(Object.create(null));
});

test('events that come again are ignored', () => {
  const run = reduceRun(null, 'r', start);
  expect(reduceRun(run, 'r', start)).toBe(run);
});

test('failures, skips and progress stand on their node', () => {
  const error = { code: 'node_failed', message: 'No', hint: 'Try', path: 'nodes.a' };
  const run = reduceRun(reduceRun(null, 'r', start), 'r', [
    ...events(
      2,
      { type: 'node.progress', node: 'a', done: 1, total: 4, message: 'page 1' },
      { type: 'node.failed', node: 'a', duration: 1, error },
      { type: 'node.skipped', node: 'b', reason: 'a failed' },
      { type: 'run.finished', status: 'failed', duration: 2, output: null, usage: null, error },
    ),
  ]);
  expect(run.nodes.a).toMatchObject({
    status: 'failed',
    error,
    progress: { done: 1, total: 4, message: 'page 1' },
  });
  expect(run.nodes.b).toMatchObject({ status: 'skipped', reason: 'a failed' });
  expect(run.nodes.constructor).toMatchObject({ status: 'skipped' });
  expect(run).toMatchObject({ status: 'failed', duration: 2, error, done: 3, total: 3 });
});

test('a run ends with its output and usage, or pauses', () => {
  const output = { type: 'str', text: 'Hi' };
  const usage = { input_tokens: 1, output_tokens: 2 };
  const end = { type: 'run.finished', status: 'completed', duration: 1, output, usage, error: null };
  expect(reduceRun(null, 'r', events(0, started, end))).toMatchObject({ status: 'completed', output, usage });
  expect(reduceRun(null, 'r', events(0, started, { type: 'run.paused', nodes: ['a'] })).status).toBe(
    'paused',
  );
});

test('a new run replaces the old one, whose late events are not shown', () => {
  const old = reduceRun(null, 'old', start);
  const run = reduceRun(old, 'r', start);
  expect(run.id).toBe('r');
  expect(reduceRun(run, 'old', events(2, { type: 'node.started', node: 'b' }))).toBe(run);
});

test('a view that opens late knows how long the run has been going', () => {
  const run = replay({ id: 'r', status: 'completed', events: start });
  expect(run.status).toBe('completed');
  expect(Date.now() - run.startedAt).toBeGreaterThanOrEqual(500);
  expect(replay({ id: 'r', status: 'pending', events: [] })).toMatchObject({ status: 'pending', total: 0 });
});

const begin = (node: string, why = '') => ({ type: 'node.started', node, why });
const finish = (node: string, more: object = {}) => ({
  type: 'node.finished',
  node,
  duration: 1,
  outputs: { out: { type: 'str', text: node } },
  ...more,
});
const error = { code: 'node_failed', message: 'No', hint: '', path: 'nodes.each.body.nodes.clean' };

test('rounds of a container are counted on their node, which shows the one that began last', () => {
  const opening = [{ ...started, nodes: ['each'] }, begin('each')];
  const rounds = [begin('each[0]/clean'), begin('each[1]/clean'), finish('each[0]/clean')];
  let run = reduceRun(null, 'r', events(0, ...opening, ...rounds), ['each']);
  expect(run.nodes.clean).toMatchObject({ status: 'running', address: 'each[1]/clean' });
  expect(run.nodes.clean?.rounds).toEqual({ begun: 2, ended: 1, failed: 0 });
  expect(run.nodes.clean?.outputs.out).toBeUndefined();
  expect(run).toMatchObject({ total: 1, done: 0 });
  const failed = { type: 'node.failed', node: 'each[2]/clean', duration: 1, error };
  const rest = [finish('each[1]/clean'), begin('each[2]/clean'), failed, begin('each[3]/clean')];
  run = reduceRun(run, 'r', events(5, ...rest, finish('each[3]/clean')), ['each']);
  expect(run.nodes.clean?.rounds).toEqual({ begun: 4, ended: 4, failed: 1 });
  expect(run.nodes.clean).toMatchObject({ status: 'done', error });
  expect(run.nodes.clean?.outputs.out?.text).toBe('each[3]/clean');
  expect(inside(run, 'each')).toEqual({ done: 1 });
  expect(inside(run, 'clean')).toEqual({});
});

test('a round that was kept ends without a beginning', () => {
  const kept = finish('each[0]/clean', { cached: true, saved: 2.5 });
  const run = reduceRun(null, 'r', events(0, started, kept, finish('a', { saved: 1 })));
  expect(run.places['each/clean']).toMatchObject({ status: 'done', cached: true, saved: 2.5 });
  expect(run.places['each/clean']?.rounds).toEqual({ begun: 1, ended: 1, failed: 0 });
  expect(run.saved).toBe(3.5);
  expect(run.nodes['each/clean']).toBeUndefined();
});

test('a node that is tried again says so until it ends, and why it runs at all', () => {
  const retried = { type: 'node.retried', node: 'a', attempt: 1, wait: 2, error };
  const run = reduceRun(null, 'r', events(0, started, begin('a', 'its setting x changed'), retried));
  expect(run.nodes.a).toMatchObject({ status: 'running', why: 'its setting x changed' });
  expect(run.nodes.a?.retry).toEqual({ attempt: 1, wait: 2, error });
  const done = reduceRun(run, 'r', events(3, finish('a')));
  expect(done.nodes.a?.retry).toBeUndefined();
});

test('a node asks, the run pauses, somebody answers, and it goes on', () => {
  const question = { text: 'Send it?', value: { type: 'str', text: 'Dear' }, form: [], data: 'Dear' };
  const asked = [begin('each'), begin('each[0]/ask'), { type: 'node.asked', node: 'each[0]/ask', question }];
  let run = reduceRun(
    null,
    'r',
    events(0, started, ...asked, { type: 'run.paused', nodes: ['each[0]/ask'] }),
  );
  expect(run.status).toBe('paused');
  expect(run.places['each/ask']).toMatchObject({ status: 'asked' });
  expect(run.places['each/ask']?.questions['each[0]/ask']?.text).toBe('Send it?');
  expect(inside(run, 'each')).toEqual({ asked: 1 });
  const answered = [
    { type: 'run.resumed' },
    { type: 'node.answered', node: 'each' },
    { type: 'node.answered', node: 'each[0]/ask' },
  ];
  run = reduceRun(run, 'r', events(5, ...answered));
  expect(run).toMatchObject({ status: 'running' });
  expect(run.places['each/ask']).toMatchObject({ status: 'running' });
  run = reduceRun(run, 'r', events(8, finish('each[0]/ask'), finish('each')));
  expect(run.places['each/ask']).toMatchObject({ status: 'done' });
  expect(Object.keys(run.places['each/ask']?.questions ?? {})).toEqual([]);
  expect(run.log.map(({ type }) => type)).toContain('node.asked');
});

test('a run that is stopped asks nothing any more', () => {
  const question = { text: 'Send it?', value: { type: 'str', text: 'Dear' }, form: [], data: 'Dear' };
  const end = { type: 'run.finished', status: 'cancelled', duration: 1, output: null, usage: null };
  const asked = [begin('a'), { type: 'node.asked', node: 'a', question }, { ...end, error: null }];
  const run = reduceRun(null, 'r', events(0, started, ...asked));
  expect(run.nodes.a).toMatchObject({ status: 'skipped', reason: 'the run was cancelled' });
  expect(Object.keys(run.nodes.a?.questions ?? {})).toEqual([]);
});
