import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';
import type { Host } from '../../src/model/host';
import type { WorkflowState } from '../../src/model/store';
import type { FromPage, ToPage } from '../../src/model/types';
import { keepUpToDate } from '../../src/widget/keep';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function parts() {
  const sent: FromPage[] = [];
  const listeners = new Set<(message: ToPage) => void>();
  const host: Host = {
    readOnly: false,
    send: (message) => void sent.push(message),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const store = createStore(() => ({ revision: 0, document: { name: 'a' } }) as unknown as WorkflowState);
  const kept: unknown[] = [];
  const stop = keepUpToDate(host, store, (document, picture) => kept.push([document, picture]));
  const edit = (name: string) => store.setState({ document: { name } } as unknown as WorkflowState);
  const answer = (message: unknown) => {
    for (const listener of listeners) listener(message as ToPage);
  };
  return { sent, kept, stop, edit, answer };
}

test('asks once when nobody has edited for a while, and keeps the answer', () => {
  const { sent, kept, edit, answer } = parts();
  edit('b');
  vi.advanceTimersByTime(900);
  edit('c');
  vi.advanceTimersByTime(900);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(sent).toEqual([{ type: 'draw' }]);
  answer({ type: 'drawn', document: { name: 'c' }, picture: '<svg/>' });
  expect(kept).toEqual([[{ name: 'c' }, '<svg/>']]);
});

test('asks nothing when it was ended', () => {
  const { sent, stop, edit } = parts();
  edit('b');
  stop();
  edit('c');
  vi.advanceTimersByTime(5000);
  expect(sent).toEqual([]);
});
