import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { Event, Opened, RunInput } from '../../../src/model/types';
import { canvas, chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

async function open(more: Partial<Opened> = {}) {
  const drawn = await draw(chain, more);
  remove = drawn.remove;
  return drawn;
}

const question: RunInput = {
  name: 'question',
  node: 'ask',
  port: 'question',
  title: 'Question',
  tag: 'text',
  required: true,
  default: null,
};
const everything = { type: 'start', inputs: {}, target: null, only: null, since: null, cache: true };
const started = {
  seq: 0,
  time: 0,
  type: 'run.started',
  run: 'r',
  workflow: 'w',
  nodes: ['read', 'cut'],
} as Event;

test('Run sends what was typed', async () => {
  const { host } = await open({ inputs: [question] });
  fireEvent.change(screen.getByRole('textbox', { name: 'Question' }), { target: { value: 'Why?' } });
  fireEvent.click(screen.getByRole('button', { name: 'Run' }));
  expect(host.last('start')).toEqual({ ...everything, inputs: { question: 'Why?' } });
});

test('a missing input is marked, and nothing starts', async () => {
  const { host } = await open({ inputs: [question] });
  fireEvent.keyDown(canvas(), { key: 'Enter', ctrlKey: true });
  const field = screen.getByRole<HTMLInputElement>('textbox', { name: 'Question' });
  expect([field.placeholder, field.getAttribute('aria-invalid')]).toEqual(['Question is needed', 'true']);
  expect(host.sent.map(({ type }) => type)).toEqual(['open']);
});

test('one button runs and stops, and so does Ctrl+Enter, also from a field', async () => {
  const { host } = await open({ inputs: [question] });
  const field = screen.getByRole('textbox', { name: 'Question' });
  fireEvent.change(field, { target: { value: 'Why?' } });
  fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
  expect(host.last('start').inputs).toEqual({ question: 'Why?' });
  await act(async () => host.say({ type: 'events', run: 'r', events: [started] }));
  await vi.waitFor(() => screen.getByRole('button', { name: 'Stop' }));
  fireEvent.click(screen.getByRole('button', { name: 'Stop' }));
  fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
  expect(host.sent.map(({ type }) => type)).toEqual(['open', 'start', 'stop', 'stop']);
});

test('run to the selected node', async () => {
  const { host } = await open();
  fireEvent.click(screen.getByRole('button', { name: /\(cut\)/, hidden: true }));
  fireEvent.keyDown(canvas(), { key: 'Enter', ctrlKey: true, shiftKey: true });
  expect(host.last('start')).toEqual({ ...everything, target: 'cut' });
});

test.each([
  ['Run', {}],
  ['Run to cut', { target: 'cut' }],
  ['Run only cut', { only: 'cut' }],
  ['Run from cut', { since: 'cut' }],
  ['Run afresh', { cache: false }],
])('the menu: %s', async (title, part) => {
  const { host } = await open();
  fireEvent.click(screen.getByRole('button', { name: /\(cut\)/, hidden: true }));
  fireEvent.click(screen.getByRole('button', { name: 'More ways to run' }));
  const menu = screen.getByRole('menu', { name: 'Ways to run' });
  fireEvent.click(within(menu).getByRole('menuitem', { name: new RegExp(`^${title} [A-Z]`) }));
  expect(host.last('start')).toEqual({ ...everything, ...part });
  expect(screen.queryByRole('menu')).toBeNull();
});

test('the menu is walked by keys, and what needs a node waits for one', async () => {
  await open();
  fireEvent.click(screen.getByRole('button', { name: 'More ways to run' }));
  const items = screen.getAllByRole<HTMLButtonElement>('menuitem');
  expect(items.map(({ disabled }) => disabled)).toEqual([false, true, true, true, false]);
  expect(document.activeElement).toBe(items[0]);
  fireEvent.keyDown(items[0] as HTMLElement, { key: 'ArrowDown' });
  expect(document.activeElement).toBe(items[4]);
  fireEvent.keyDown(items[4] as HTMLElement, { key: 'ArrowDown' });
  expect(document.activeElement).toBe(items[0]);
  fireEvent.keyDown(items[0] as HTMLElement, { key: 'Escape' });
  expect(screen.queryByRole('menu')).toBeNull();
});

test('undo and redo can be pressed when there is something to take back', async () => {
  const { host } = await open({ can_undo: true });
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Redo' }).disabled).toBe(true);
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }));
  expect(host.last('undo')).toEqual({ type: 'undo' });
});

test('a run shows how far it is', async () => {
  const events = [
    started,
    { seq: 1, time: 0, type: 'node.started', node: 'read' },
    {
      seq: 2,
      time: 0.1,
      type: 'node.finished',
      node: 'read',
      duration: 0.1,
      outputs: {},
      usage: null,
      cached: false,
    },
  ] as Event[];
  await open({ run: { id: 'r', status: 'running', events } });
  const bar = screen.getByRole('progressbar', { name: 'Progress of the run' });
  expect([bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-valuemax')]).toEqual(['1', '2']);
  expect(screen.getByText('Running', { selector: '.bz-run-status' })).toBeTruthy();
});

test('panels open and close', async () => {
  await open();
  const button = screen.getByRole('button', { name: 'Palette' });
  expect(button.getAttribute('aria-pressed')).toBe('true');
  fireEvent.click(button);
  expect(screen.queryByRole('complementary', { name: 'Node types' })).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Output' }));
  expect(screen.getByRole('region', { name: 'Output' })).toBeTruthy();
});

test('a host that refuses full screen changes nothing', async () => {
  await open();
  const ask = vi.fn(() => Promise.reject(new TypeError('not allowed')));
  canvas().requestFullscreen = ask;
  fireEvent.click(screen.getByRole('button', { name: 'Full screen' }));
  expect(ask).toHaveBeenCalledOnce();
});
