import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import type { Body, Event, NodeSpec, Opened } from '../../src/model/types';
import { documentOf, port, spec } from '../model/fake';
import { box, canvas, catalogue, draw } from './harness';

let remove = async () => {};
afterEach(() => remove());

const body = (part: Partial<Body>): Body => ({
  nodes: {},
  edges: [],
  layout: {},
  notes: {},
  groups: {},
  ...part,
});
const talk = { type: 'Talker', version: 1, settings: {} };
const nested = documentOf({
  nodes: {
    talk,
    each: {
      type: 'Every',
      version: 1,
      settings: {},
      title: 'Each of them',
      body: body({
        nodes: { read: { type: 'Reader', version: 1, settings: {} }, talk },
        edges: [['read.documents', 'talk.prompt']],
        layout: { read: [0, 0], talk: [300, 0] },
      }),
    },
    bare: { type: 'Every', version: 1, settings: {} },
  },
  layout: { talk: [0, 0], each: [300, 0], bare: [600, 0] },
});
const every: NodeSpec = { ...spec('Every', [port('items', 'any')], []), title: 'For each', container: true };
const types = { catalogue: { ...catalogue, nodes: [...catalogue.nodes, every] } };

async function open(more: Partial<Opened> = {}) {
  const drawn = await draw(nested, { ...types, ...more });
  remove = drawn.remove;
  return drawn;
}

const settled = () => act(async () => new Promise((resolve) => setTimeout(resolve, 90)));
const place = () => screen.getByRole('navigation', { name: 'Where you are' });

async function enter(id: string) {
  fireEvent.click(screen.getByRole('button', { name: `Open ${id}`, hidden: true }));
  await settled();
}

test('a card shows what is inside, and leads there', async () => {
  const { el } = await open();
  expect(within(box(el, 'each')).getByText('2 nodes inside')).toBeTruthy();
  expect(box(el, 'each').querySelectorAll('.bz-mini rect')).toHaveLength(2);
  expect(within(box(el, 'bare')).getByText('Empty')).toBeTruthy();
  await enter('each');
  expect(place().textContent).toBe('TestEach of them');
  expect([...el.querySelectorAll('.react-flow__node')].map((node) => node.getAttribute('data-id'))).toEqual([
    'read',
    'talk',
  ]);
});

test('Enter and a double click open a container, Escape leaves it', async () => {
  const { el, state } = await open();
  fireEvent.doubleClick(box(el, 'each'));
  await settled();
  expect(state().within).toEqual(['each']);
  fireEvent.keyDown(canvas(), { key: 'Escape' });
  await settled();
  expect(state().within).toEqual([]);
  expect(screen.queryByRole('navigation', { name: 'Where you are' })).toBeNull();
  // It comes out with the container in hand.
  fireEvent.keyDown(canvas(), { key: 'Enter' });
  await settled();
  expect(state().within).toEqual(['each']);
  fireEvent.click(within(place()).getByRole('button', { name: 'Test' }));
  await settled();
  expect(state().within).toEqual([]);
});

test('what is done inside happens inside, with the same keys', async () => {
  const { host, state } = await open();
  await enter('each');
  fireEvent.click(screen.getByRole('button', { name: /\(talk\)/, hidden: true }));
  fireEvent.keyDown(canvas(), { key: 'd' });
  const [operation] = host.last('change').operations;
  expect(operation).toEqual({
    within: ['each'],
    path: ['nodes', 'talk', 'policy'],
    new: { disabled: true },
  });
  expect(state().whole.nodes.talk?.policy).toBeUndefined();
  fireEvent.keyDown(canvas(), { key: 'Delete' });
  expect(Object.keys(state().document.nodes)).toEqual(['read']);
  expect(Object.keys(state().whole.nodes)).toEqual(['talk', 'each', 'bare']);
});

test('a container without a body gets one, and an empty body says what it needs', async () => {
  const { el, host, state } = await open();
  expect(screen.queryByText('Nothing is inside yet')).toBeNull();
  await enter('bare');
  expect(host.last('change').operations[0]).toMatchObject({ path: ['nodes', 'bare', 'body'] });
  expect(screen.getByText('Nothing is inside yet')).toBeTruthy();
  fireEvent.click(within(el.querySelector('.bz-empty') as HTMLElement).getByRole('button', { name: 'Ask' }));
  expect(Object.keys(state().document.nodes)).toEqual(['asker']);
});

test('the selection is folded into a sub-workflow and unfolded, by button or key', async () => {
  const { host } = await open();
  fireEvent.click(screen.getByRole('button', { name: /\(talk\)/, hidden: true }));
  const bar = () => within(screen.getByRole('toolbar', { name: 'Selection' }));
  fireEvent.click(bar().getByRole('button', { name: 'Make a sub-workflow of the selection' }));
  expect(host.last('extract')).toEqual({ type: 'extract', within: [], nodes: ['talk'] });
  expect(bar().queryByRole('button', { name: 'Dissolve the sub-workflow' })).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: /^Each of them \(each\)/, hidden: true }));
  fireEvent.keyDown(canvas(), { key: 'g', ctrlKey: true, shiftKey: true });
  expect(host.last('dissolve')).toEqual({ type: 'dissolve', within: [], node: 'each' });
  fireEvent.keyDown(canvas(), { key: 'g', ctrlKey: true });
  expect(host.last('extract').nodes).toEqual(['each']);
});

const at = (seq: number, type: string, node: string, more: object = {}) =>
  ({ seq, time: seq / 10, type, node, ...more }) as unknown as Event;
const started = { seq: 0, time: 0, type: 'run.started', run: 'r', workflow: 'w' };
const outputs = { text: { type: 'str', text: 'Hi' } };
const finished = { duration: 0.1, outputs, usage: null, cached: false, saved: 0 };

test('rounds show on the nodes inside and on the container', async () => {
  const events = [
    { ...started, nodes: ['each', 'talk'] } as Event,
    at(1, 'node.started', 'each', { why: '' }),
    at(2, 'node.started', 'each[0]/talk', { why: 'its input changed' }),
    at(3, 'node.finished', 'each[0]/talk', finished),
    at(4, 'node.started', 'each[1]/talk', { why: '' }),
    at(5, 'node.progress', 'each', { done: 1, total: 2, message: '' }),
  ];
  const { el, host } = await open({ run: { id: 'r', status: 'running', events } });
  const each = within(box(el, 'each'));
  expect(each.getByText('1 running')).toBeTruthy();
  expect(each.getByText('1 of 2')).toBeTruthy();
  await enter('each');
  expect(within(box(el, 'talk')).getByText('1/2')).toBeTruthy();
  const error = { code: 'x', message: 'No answer', hint: 'Ask again', path: '' };
  const retried = at(6, 'node.retried', 'each[1]/talk', { attempt: 1, wait: 2, error });
  await act(async () => host.say({ type: 'events', run: 'r', events: [retried] }));
  expect(within(box(el, 'talk')).getByText('Try 1 failed, again in 2.0 s')).toBeTruthy();
  const failed = at(7, 'node.failed', 'each[1]/talk', { duration: 1, error });
  await act(async () => host.say({ type: 'events', run: 'r', events: [failed] }));
  const mark = box(el, 'talk').querySelector('.bz-outcome') as HTMLElement;
  expect(mark.title).toContain('2 of 2 rounds done, 1 failed');
});

test('stale and pinned nodes say so; a node is pinned and unpinned', async () => {
  const events = [
    { ...started, nodes: ['talk', 'bare'] } as Event,
    at(1, 'node.finished', 'talk', { ...finished, cached: true, saved: 3 }),
    at(2, 'node.finished', 'bare', finished),
  ];
  const stale = { talk: 'its setting key changed', each: 'its body changed' };
  const { el, host } = await open({
    run: { id: 'r', status: 'completed', events },
    stale,
    pinned: ['bare'],
  });
  expect(within(box(el, 'talk')).getByText('stale').title).toContain('its setting key changed');
  expect(within(box(el, 'each')).queryByText('stale')).toBeNull();
  expect((box(el, 'talk').querySelector('.bz-outcome') as HTMLElement).title).toContain('saved 3.0 s');
  expect(screen.getByText('3.0 s saved')).toBeTruthy();
  expect(within(box(el, 'bare')).getByText('pinned')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: /\(talk\)/, hidden: true }));
  fireEvent.click(screen.getByRole('button', { name: 'Pin the outputs of the latest run' }));
  expect(host.last('pin')).toEqual({ type: 'pin', node: 'talk', on: true });
  fireEvent.click(screen.getByRole('button', { name: /\(bare\)/, hidden: true }));
  fireEvent.click(screen.getByRole('button', { name: 'Unpin: compute it again' }));
  expect(host.last('pin')).toEqual({ type: 'pin', node: 'bare', on: false });
});

test('a run inside a container runs the container', async () => {
  const { host } = await open();
  await enter('each');
  fireEvent.click(screen.getByRole('button', { name: /\(talk\)/, hidden: true }));
  fireEvent.keyDown(canvas(), { key: 'Enter', ctrlKey: true, shiftKey: true });
  expect(host.last('start').target).toBe('each');
});

test('how a node runs is a form like its settings', async () => {
  const { host } = await open();
  fireEvent.click(screen.getByRole('button', { name: /\(talk\)/, hidden: true }));
  const panel = within(screen.getByRole('complementary', { name: 'Inspector' }));
  fireEvent.change(panel.getByLabelText('Retries'), { target: { value: '3' } });
  fireEvent.blur(panel.getByLabelText('Retries'));
  expect(host.last('change').operations).toEqual([
    { path: ['nodes', 'talk', 'policy'], new: { retries: 3 } },
  ]);
  fireEvent.click(panel.getByLabelText('Disabled'));
  fireEvent.click(panel.getByLabelText('Disabled'));
  expect(host.last('change').operations[0]).toMatchObject({ new: { retries: 3 } });
  fireEvent.click(panel.getByRole('button', { name: 'Reset Retries to its default' }));
  expect(host.last('change').operations).toEqual([
    { path: ['nodes', 'talk', 'policy'], old: { retries: 3 } },
  ]);
});

test('the timeline has a row a node and a bar a round, and leads to the node', async () => {
  const events = [
    { ...started, nodes: ['each', 'talk'] } as Event,
    at(1, 'node.started', 'each', { why: '' }),
    at(2, 'node.started', 'each[0]/talk', { why: '' }),
    at(3, 'node.finished', 'each[0]/talk', finished),
    at(4, 'node.finished', 'each[1]/talk', { ...finished, cached: true }),
    at(5, 'node.finished', 'each', finished),
    { seq: 6, time: 0.6, type: 'run.finished', status: 'completed', duration: 0.6 } as unknown as Event,
  ];
  const { state } = await open({ run: { id: 'r', status: 'completed', events } });
  fireEvent.click(screen.getByRole('button', { name: 'Timeline' }));
  const lines = within(screen.getByRole('region', { name: 'Timeline of the run' })).getAllByRole('button');
  expect(lines.map(({ title }) => title)).toEqual(['Show each', 'Show each/talk']);
  const bars = [...document.querySelectorAll<HTMLElement>('.bz-span')];
  expect(bars.map(({ className }) => className)).toEqual([
    'bz-span is-done',
    'bz-span is-done',
    'bz-span is-cached',
  ]);
  fireEvent.click(lines[1] as HTMLElement);
  await waitFor(() => expect(state().within).toEqual(['each']));
});
