import { expect, test } from 'vitest';
import { ticks, timeline } from '../../src/model/timeline';
import type { NodeEvent } from '../../src/model/types';

const at = (time: number, type: string, node: string, more: object = {}) =>
  ({ time, type: `node.${type}`, node, ...more }) as unknown as NodeEvent;

test('bars begin and end; rows inside stand below their container', () => {
  const rows = timeline([
    at(0, 'started', 'each'),
    at(1, 'started', 'other'),
    at(1, 'started', 'each[0]/a'),
    at(2, 'retried', 'each[0]/a'),
    at(3, 'failed', 'each[0]/a'),
    at(3, 'started', 'each[1]/a'),
    at(4, 'skipped', 'each[1]/a'),
    at(4, 'finished', 'each[2]/a', { cached: true }),
    at(4, 'skipped', 'never'),
    at(5, 'finished', 'each', { cached: false }),
  ]);
  expect(rows.map(({ place }) => place)).toEqual(['each', 'each/a', 'other']);
  expect(rows[0]?.bars).toEqual([{ address: 'each', from: 0, to: 5, kind: 'done', retries: 0 }]);
  expect(rows[1]?.bars).toEqual([
    { address: 'each[0]/a', from: 1, to: 3, kind: 'failed', retries: 1 },
    { address: 'each[1]/a', from: 3, to: 4, kind: 'skipped', retries: 0 },
    { address: 'each[2]/a', from: 4, to: 4, kind: 'cached', retries: 0 },
  ]);
  expect(rows[2]?.bars[0]).toMatchObject({ from: 1, kind: 'running' });
  expect(rows[2]?.bars[0]?.to).toBeUndefined();
});

test('waiting for a person is a bar of its own', () => {
  const rows = timeline([
    at(0, 'started', 'ask'),
    at(1, 'asked', 'ask'),
    at(9, 'answered', 'ask'),
    at(10, 'finished', 'ask', { cached: false }),
  ]);
  expect(rows[0]?.bars.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ['done', 0, 1],
    ['asked', 1, 9],
    ['done', 9, 10],
  ]);
});

test.each([
  [0, [0]],
  [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [12, [0, 5, 10]],
])('an axis of %d s', (seconds, moments) => {
  expect(ticks(seconds).map((each) => Math.round(each * 100) / 100)).toEqual(moments);
});
