import { expect, test } from 'vitest';
import { reduceRun, replay } from '../../src/model/run';
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
  expect(reduceRun(null, 'r', events(0, started, { type: 'run.paused', node: 'a' })).status).toBe('paused');
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
