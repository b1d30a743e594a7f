import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DISCONNECTED } from '../../src/model/host';
import type { ToPage } from '../../src/model/types';
import { CommHost } from '../../src/widget/host';
import { TestModel } from './fake';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function listening() {
  const model = new TestModel();
  const host = new CommHost(model);
  const heard: ToPage[] = [];
  const unsubscribe = host.subscribe((message) => heard.push(message));
  const isGone = () =>
    heard.some((message) => message.type === 'failed' && message.error.code === DISCONNECTED);
  return { model, host, heard, unsubscribe, isGone };
}

test('messages go both ways', () => {
  const { model, host, heard, unsubscribe } = listening();
  host.send({ type: 'undo' });
  expect(model.sent).toEqual([{ type: 'undo' }]);
  model.say('msg:custom', { type: 'shown', node: 'a', port: 'b' });
  expect(heard).toEqual([{ type: 'shown', node: 'a', port: 'b' }]);
  unsubscribe();
  model.say('msg:custom', { type: 'shown', node: 'a', port: 'b' });
  expect(heard).toHaveLength(1);
});

test('a kernel that does not answer is told after a while, and one that answers is not', () => {
  const silent = listening();
  silent.host.send({ type: 'open' });
  expect(silent.isGone()).toBe(false);
  vi.runAllTimers();
  expect(silent.isGone()).toBe(true);

  const prompt = listening();
  prompt.host.send({ type: 'open' });
  prompt.model.say('msg:custom', { type: 'shown', node: 'a', port: 'b' });
  vi.runAllTimers();
  expect(prompt.isGone()).toBe(false);
});

test('a question that waits behind a busy cell is asked again, until there is an answer', () => {
  const { model, host, isGone } = listening();
  host.send({ type: 'open' });
  vi.advanceTimersByTime(1_500);
  expect(model.sent).toEqual([{ type: 'open' }, { type: 'open' }, { type: 'open' }]);
  model.say('msg:custom', { type: 'shown', node: 'a', port: 'b' });
  vi.runAllTimers();
  expect(model.sent).toHaveLength(3);
  expect(isGone()).toBe(false);
});

test('a closed comm is told at once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const { model, host, isGone } = listening();
  model.closed = true;
  host.send({ type: 'stop' });
  expect(isGone()).toBe(true);
  expect(warn).toHaveBeenCalledOnce();
});

test('a comm that came back or broke asks again', () => {
  const { model } = listening();
  model.say('comm_live_update');
  expect(model.sent).toEqual([{ type: 'open' }]);
});

test('nothing is left behind', () => {
  const { model, host, heard } = listening();
  host.send({ type: 'open' });
  host.close();
  vi.runAllTimers();
  expect(model.listeners).toEqual([]);
  expect(heard).toEqual([]);
});
