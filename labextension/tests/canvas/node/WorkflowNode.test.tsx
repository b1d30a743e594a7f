import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { Event, Opened, Status } from '../../../src/model/types';
import { box, chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

async function open(more: Partial<Opened> = {}, document = chain) {
  const drawn = await draw(document, more);
  remove = drawn.remove;
  return { ...drawn, node: (id: string) => within(box(drawn.el, id)) };
}

function ran(status: Status, ...happened: object[]): Partial<Opened> {
  const first = { type: 'run.started', run: 'r', workflow: 'w', nodes: ['read', 'cut', 'talk'] };
  const events = [first, ...happened].map((event, seq) => ({ seq, time: seq, ...event }) as Event);
  return { run: { id: 'r', status, events } };
}

const finished = (node: string, outputs: object, more: object = {}) => ({
  type: 'node.finished',
  node,
  duration: 0.42,
  outputs,
  usage: null,
  cached: false,
  ...more,
});

test('title, type where it says more, ports and settings', async () => {
  const { node } = await open();
  expect(node('cut').getByText('Small pieces')).toBeTruthy();
  expect(node('cut').getByText('Cut')).toBeTruthy();
  expect(node('cut').getAllByText('documents')).toHaveLength(2);
  expect(node('cut').getByText('200')).toBeTruthy();
  expect(node('read').queryByText('Reader')).toBeNull();
});

test('a required input that nothing feeds is marked', async () => {
  const { node } = await open({}, { ...chain, edges: [] });
  expect(node('cut').getByRole('img', { name: 'required' })).toBeTruthy();
  expect(node('talk').queryByRole('img', { name: 'required' })).toBeNull();
});

test('an input that the run feeds has a badge and no handle', async () => {
  const nodes = { ask: { type: 'Asker', version: 1, settings: {} } };
  const { node, el } = await open({}, { ...chain, nodes, edges: [], layout: { ask: [0, 0] } });
  expect(node('ask').getByText('run')).toBeTruthy();
  expect(box(el, 'ask').querySelectorAll('.react-flow__handle')).toHaveLength(1);
});

test('a double click renames', async () => {
  const { node, state } = await open();
  fireEvent.doubleClick(node('cut').getByText('Small pieces'));
  const input = node('cut').getByRole('textbox', { name: 'Title of cut' });
  fireEvent.change(input, { target: { value: 'Slices' } });
  fireEvent.keyDown(input, { key: 'Enter' });
  expect(state().document.nodes.cut?.title).toBe('Slices');
  fireEvent.doubleClick(node('cut').getByText('Slices'));
  fireEvent.keyDown(node('cut').getByRole('textbox'), { key: 'Escape' });
  expect(node('cut').getByText('Slices')).toBeTruthy();
});

test('waiting, running with progress, done with a duration', async () => {
  const { node, el } = await open(
    ran(
      'running',
      finished('read', { documents: { type: 'list', text: '7 documents' } }),
      { type: 'node.started', node: 'cut' },
      { type: 'node.progress', node: 'cut', done: 1, total: 4, message: 'a quarter' },
    ),
  );
  expect(node('read').getByText('Done')).toBeTruthy();
  expect(node('read').getByText('420 ms')).toBeTruthy();
  expect(node('cut').getByText('Running')).toBeTruthy();
  expect(node('cut').getByText('a quarter')).toBeTruthy();
  expect(box(el, 'cut').querySelector<HTMLElement>('.bz-bar span')?.style.width).toBe('25%');
  expect(node('talk').getByText('Waiting')).toBeTruthy();
  expect(el.querySelector('.bz-edge.is-running')).toBeTruthy();
});

test('an output has a preview and a button that shows it', async () => {
  const outputs = { documents: { type: 'list', text: '7 documents' } };
  const { node, host } = await open(ran('completed', finished('read', outputs, { cached: true })));
  expect(node('read').getByText('7 documents')).toBeTruthy();
  expect(node('read').getByText('cached')).toBeTruthy();
  fireEvent.click(node('read').getByRole('button', { name: 'Show read.documents' }));
  expect(host.last('show')).toEqual({ type: 'show', node: 'read', port: 'documents' });
  expect(screen.getByRole('region', { name: 'Output' })).toBeTruthy();
});

test('streamed text grows on the node', async () => {
  const token = (text: string) => ({ type: 'token', node: 'talk', port: 'text', text });
  const { node, host } = await open(ran('running', { type: 'node.started', node: 'talk' }, token('Hel')));
  expect(node('talk').getByText('1 token')).toBeTruthy();
  const more = { seq: 3, time: 3, ...token('lo') } as Event;
  await act(async () => {
    host.say({ type: 'events', run: 'r', events: [more] });
    await new Promise((resolve) => setTimeout(resolve, 40));
  });
  expect(node('talk').getByLabelText('Text of talk.text').textContent).toBe('Hello');
});

test('a failure says what happened and what to do', async () => {
  const error = { code: 'node_failed', path: 'nodes.cut', message: 'too small', hint: 'Take 400.' };
  const { node } = await open(
    ran(
      'failed',
      { type: 'node.failed', node: 'cut', duration: 1, error },
      { type: 'node.skipped', node: 'talk', reason: 'cut failed' },
    ),
  );
  expect(node('cut').getByRole('alert').textContent).toBe('too smallTake 400.');
  expect(node('talk').getByTitle('Skipped: cut failed')).toBeTruthy();
});

test('problems stand on the node, an unknown type says how to install it', async () => {
  const nodes = { gone: { type: 'Slack', version: 1, settings: { channel: '#a' } } };
  const problem = (message: string, hint: string) => ({
    code: 'unknown_node_type',
    path: 'nodes.gone.type',
    message,
    hint,
  });
  const { node, el } = await open(
    { problems: [problem('nobody provides Slack', 'pip install slack-nodes'), problem('and another', '')] },
    { ...chain, nodes, edges: [], layout: { gone: [0, 0] } },
  );
  expect(box(el, 'gone').querySelector('.is-unknown')).toBeTruthy();
  expect(node('gone').getByText('nobody provides Slack')).toBeTruthy();
  expect(node('gone').getByText('pip install slack-nodes')).toBeTruthy();
  expect(node('gone').getByText('and 1 more')).toBeTruthy();
  expect(node('gone').getByText('#a')).toBeTruthy();
});

test('from far away a node is its title, with its handles in place', async () => {
  const { el, node } = await open();
  // Who wishes no motion gets there at once.
  vi.stubGlobal('matchMedia', () => ({ matches: true }));
  await vi.waitFor(async () => {
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Zoom out' }));
    });
    expect(el.querySelector('.bz-node-far')).toBeTruthy();
  });
  vi.unstubAllGlobals();
  expect(box(el, 'cut').querySelector('.bz-node-far')).toBeTruthy();
  expect(node('cut').queryByText('Chunk size')).toBeNull();
  expect(box(el, 'cut').querySelectorAll('[data-handleid]')).toHaveLength(2);
});
