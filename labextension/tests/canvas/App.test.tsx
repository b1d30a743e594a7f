import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { documentOf, TestHost } from '../model/fake';
import { box, canvas, chain, draw } from './harness';

let remove = async () => {};
afterEach(() => remove());

async function open(...options: Parameters<typeof draw>) {
  const drawn = await draw(...options);
  remove = drawn.remove;
  return drawn;
}

const soon = () => act(async () => new Promise((resolve) => setTimeout(resolve, 10)));

test('until the kernel answers, the canvas says that it waits', async () => {
  await open(null);
  expect(screen.getByText('Waiting for the kernel…')).toBeTruthy();
});

test('an empty workflow says what to do', async () => {
  await open(documentOf());
  expect(screen.getByText('This workflow has no nodes yet')).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Run' }).disabled).toBe(true);
});

test('nodes and edges are drawn', async () => {
  const { el } = await open();
  expect(el.querySelectorAll('.react-flow__node')).toHaveLength(3);
  expect(el.querySelectorAll('.react-flow__edge')).toHaveLength(2);
});

test('a screen reader finds every node with what feeds it', async () => {
  await open(chain, {
    problems: [{ code: 'setting', path: 'nodes.read.path', message: 'no path', hint: '' }],
  });
  expect(screen.getByText('Small pieces (cut): documents from read.documents.')).toBeTruthy();
  expect(screen.getByText('Read files (read). Problem: no path.')).toBeTruthy();
});

test('without a kernel one looks and does not edit', async () => {
  const { host } = await open(chain, {}, new TestHost(true));
  expect(screen.getByText(/Run the cell to bring this workflow to life/)).toBeTruthy();
  for (const name of ['Run', 'Undo', 'Palette', 'Output'])
    expect(screen.queryByRole('button', { name })).toBeNull();
  expect(screen.getByRole('button', { name: 'Fit into view' })).toBeTruthy();
  fireEvent.keyDown(canvas(), { key: 'a', ctrlKey: true });
  fireEvent.keyDown(canvas(), { key: 'Delete' });
  expect(host.sent.filter(({ type }) => type !== 'open')).toEqual([]);
});

test('delete removes what is selected', async () => {
  const { state } = await open();
  fireEvent.click(screen.getByText('Small pieces (cut): documents from read.documents.'));
  fireEvent.keyDown(canvas(), { key: 'Delete' });
  expect(Object.keys(state().document.nodes)).toEqual(['read', 'talk']);
  expect(state().document.edges).toEqual([]);
});

test('copy, paste, duplicate, select all', async () => {
  const { state } = await open();
  fireEvent.keyDown(canvas(), { key: 'a', ctrlKey: true });
  fireEvent.keyDown(canvas(), { key: 'c', ctrlKey: true });
  fireEvent.keyDown(canvas(), { key: 'v', ctrlKey: true });
  await vi.waitFor(() => expect(Object.keys(state().document.nodes)).toHaveLength(6));
  expect(state().document.edges).toHaveLength(4);
  await vi.waitFor(() => expect(canvas().querySelectorAll('.react-flow__node.selected')).toHaveLength(3));
  fireEvent.keyDown(canvas(), { key: 'd', ctrlKey: true });
  expect(Object.keys(state().document.nodes)).toHaveLength(9);
  await soon();
  fireEvent.keyDown(canvas(), { key: 'x', ctrlKey: true });
  expect(Object.keys(state().document.nodes)).toHaveLength(6);
});

test('undo and redo go to the kernel', async () => {
  const { host } = await open();
  fireEvent.keyDown(canvas(), { key: 'z', ctrlKey: true });
  fireEvent.keyDown(canvas(), { key: 'Z', ctrlKey: true, shiftKey: true });
  fireEvent.keyDown(canvas(), { key: 'y', ctrlKey: true });
  expect(host.sent.map(({ type }) => type)).toEqual(['open', 'undo', 'redo', 'redo']);
});

test('keys that mean something here go no further; others do', async () => {
  await open();
  const heard: string[] = [];
  const listen = (event: KeyboardEvent) => heard.push(event.key);
  document.addEventListener('keydown', listen);
  for (const key of ['Delete', 'l', 'q']) fireEvent.keyDown(canvas(), { key });
  document.removeEventListener('keydown', listen);
  expect(heard).toEqual(['q']);
});

test('typing in a field is typing', async () => {
  const { state } = await open();
  fireEvent.keyDown(canvas(), { key: 'a', ctrlKey: true });
  fireEvent.click(screen.getByRole('button', { name: 'Find a node' }));
  const field = screen.getByRole('textbox', { name: 'Find a node' });
  for (const key of ['Delete', 'l', 'd']) fireEvent.keyDown(field, { key });
  expect(Object.keys(state().document.nodes)).toHaveLength(3);
});

test('the search goes from hit to hit', async () => {
  const { el } = await open();
  fireEvent.keyDown(canvas(), { key: 'f', ctrlKey: true });
  const field = screen.getByRole('textbox', { name: 'Find a node' });
  fireEvent.change(field, { target: { value: 'piece' } });
  fireEvent.keyDown(field, { key: 'Enter' });
  expect(box(el, 'cut').classList.contains('selected')).toBe(true);
  fireEvent.change(field, { target: { value: 'nothing like it' } });
  expect(screen.getByText('none')).toBeTruthy();
  fireEvent.keyDown(field, { key: 'Escape' });
  expect(screen.queryByRole('textbox', { name: 'Find a node' })).toBeNull();
});

test('auto-layout is one undo step', async () => {
  const { host, state } = await open();
  const before = state().document.layout;
  fireEvent.keyDown(canvas(), { key: 'l' });
  expect(host.sent.filter(({ type }) => type === 'change')).toHaveLength(1);
  expect(state().document.layout).not.toEqual(before);
  await act(async () => new Promise((resolve) => setTimeout(resolve, 80)));
});

test('notes are added, written and removed', async () => {
  const { el, state } = await open();
  fireEvent.keyDown(canvas(), { key: 'n' });
  await soon();
  const [id] = Object.keys(state().document.notes);
  const editor = screen.getByRole('textbox', { name: 'Text of the note' });
  fireEvent.change(editor, { target: { value: 'Remember' } });
  fireEvent.blur(editor);
  expect(state().document.notes[id ?? '']?.text).toBe('Remember');
  fireEvent.doubleClick(within(el).getByText('Remember'));
  fireEvent.keyDown(screen.getByRole('textbox', { name: 'Text of the note' }), { key: 'Escape' });
  fireEvent.click(screen.getByRole('button', { name: 'Remove the note' }));
  expect(state().document.notes).toEqual({});
});

test('the help lists the keys', async () => {
  await open();
  fireEvent.keyDown(canvas(), { key: '?' });
  const help = screen.getByRole('dialog', { name: 'Keyboard shortcuts' });
  expect(within(help).getByText('Duplicate')).toBeTruthy();
  fireEvent.keyDown(canvas(), { key: 'Escape' });
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('a refused change is told, until it is dismissed', async () => {
  const { host, state } = await open();
  act(() => state().setTitle('read', 'Mine'));
  const { id } = host.last('change');
  const error = { code: 'stale_change', path: '', message: 'Somebody was faster', hint: 'Try again.' };
  await act(async () => host.say({ type: 'refused', id, revision: 0, error }));
  expect(screen.getByText('Somebody was faster')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(screen.queryByText('Somebody was faster')).toBeNull();
});

test('the lower edge makes the canvas higher by keyboard', async () => {
  await open();
  const edge = screen.getByRole('separator', { name: 'Height of the canvas' });
  fireEvent.keyDown(edge, { key: 'ArrowDown' });
  expect(canvas().style.getPropertyValue('--bz-height')).toBe('740px');
});

test('whatever is not trusted stays text', async () => {
  const evil = '<img src=x onerror="alert(1)">';
  const nodes = { a: { type: evil, version: 1, settings: { [evil]: evil }, title: evil } };
  const notes = { n: { text: evil, at: [0, 200] as [number, number] } };
  const { el } = await open(documentOf({ nodes, notes, layout: { a: [0, 0] } }), {
    problems: [{ code: 'unknown_node_type', path: 'nodes.a.type', message: evil, hint: evil }],
  });
  fireEvent.click(screen.getByRole('button', { name: /\(a\)/, hidden: true }));
  expect(el.querySelectorAll('img, script, a[href^="javascript"]')).toHaveLength(0);
  expect(within(box(el, 'a')).getAllByText(evil).length).toBeGreaterThan(1);
});
