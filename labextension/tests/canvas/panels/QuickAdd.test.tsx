import { fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { canvas, chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

async function open() {
  const drawn = await draw(chain);
  remove = drawn.remove;
  const pane = drawn.el.querySelector('.react-flow__pane') as Element;
  fireEvent.doubleClick(pane, { clientX: 300, clientY: 200 });
  return { ...drawn, pane, dialog: screen.getByRole('dialog', { name: 'Add a node' }) };
}

const field = () => screen.getByRole('combobox', { name: 'Node type' });

test('typing narrows, arrows choose, Enter adds', async () => {
  const { state, dialog } = await open();
  expect(within(dialog).getAllByRole('option')).toHaveLength(4);
  fireEvent.keyDown(field(), { key: 'ArrowDown' });
  expect(within(dialog).getAllByRole('option')[1]?.getAttribute('aria-selected')).toBe('true');
  fireEvent.change(field(), { target: { value: 'talk' } });
  fireEvent.keyDown(field(), { key: 'Enter' });
  expect(state().document.nodes.talker?.type).toBe('Talker');
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('a click on a type adds it', async () => {
  const { state, dialog } = await open();
  fireEvent.pointerDown(within(dialog).getByText('Read files'));
  expect(state().document.nodes.reader?.type).toBe('Reader');
});

test('Escape leaves everything as it was', async () => {
  const { state } = await open();
  fireEvent.keyDown(field(), { key: 'Escape' });
  expect(screen.queryByRole('dialog')).toBeNull();
  expect(Object.keys(state().document.nodes)).toHaveLength(3);
});

test('nothing fits is said', async () => {
  const { dialog } = await open();
  fireEvent.change(field(), { target: { value: 'qqq' } });
  expect(within(dialog).getByText('Nothing fits.')).toBeTruthy();
});

test('Tab opens it at the mouse, and walks on where the mouse is elsewhere', async () => {
  const { pane } = await open();
  fireEvent.keyDown(field(), { key: 'Escape' });
  expect(fireEvent.keyDown(canvas(), { key: 'Tab' })).toBe(true);
  // jsdom's pointer events have no place.
  fireEvent(pane, new MouseEvent('pointermove', { clientX: 100, clientY: 100, bubbles: true }));
  expect(fireEvent.keyDown(canvas(), { key: 'Tab' })).toBe(false);
  expect(screen.getByRole('dialog', { name: 'Add a node' })).toBeTruthy();
});
