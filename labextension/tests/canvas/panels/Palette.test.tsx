import { createEvent, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { byCategory, DRAG_TYPE } from '../../../src/canvas/panels/Palette';
import { catalogue, chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

async function open() {
  const drawn = await draw(chain);
  remove = drawn.remove;
  return { ...drawn, palette: within(screen.getByRole('complementary', { name: 'Node types' })) };
}

test('categories come in their order, unlisted ones last', () => {
  const groups = byCategory(catalogue.nodes, catalogue.categories);
  expect(groups.map(({ category }) => category.title)).toEqual(['Data', 'Models', 'unlisted']);
  expect(groups[0]?.nodes.map(({ type }) => type)).toEqual(['Reader', 'Cutter']);
});

test('a click adds the type in the middle, where nothing is', async () => {
  const { palette, state } = await open();
  fireEvent.click(palette.getByRole('button', { name: 'Cut' }));
  expect(state().document.nodes.cutter?.type).toBe('Cutter');
});

test('Enter in the search adds the best hit', async () => {
  const { palette, state } = await open();
  const search = palette.getByRole('searchbox');
  fireEvent.change(search, { target: { value: 'talk' } });
  expect(palette.getAllByRole('button', { name: /Talk|Cut|Read/ })).toHaveLength(1);
  fireEvent.keyDown(search, { key: 'Enter' });
  expect(state().document.nodes.talker?.type).toBe('Talker');
});

test('a search without hits says so, Escape empties it', async () => {
  const { palette } = await open();
  const search = palette.getByRole<HTMLInputElement>('searchbox');
  fireEvent.change(search, { target: { value: 'qqq' } });
  expect(palette.getByText('No node type matches “qqq”.')).toBeTruthy();
  fireEvent.keyDown(search, { key: 'Escape' });
  expect(search.value).toBe('');
});

test('arrow keys walk through the types', async () => {
  const { palette } = await open();
  palette.getByRole('searchbox').focus();
  fireEvent.keyDown(palette.getByRole('searchbox'), { key: 'ArrowDown' });
  expect(document.activeElement?.textContent).toBe('Read files');
});

test('a dragged type is dropped where the mouse is', async () => {
  const { palette, el, state } = await open();
  const carried = new Map<string, string>();
  const dataTransfer = {
    setData: (type: string, data: string) => carried.set(type, data),
    getData: (type: string) => carried.get(type) ?? '',
  };
  fireEvent.dragStart(palette.getByRole('button', { name: 'Read files' }), { dataTransfer });
  expect(carried.get(DRAG_TYPE)).toBe('Reader');
  const stage = el.querySelector('.react-flow') as Element;
  fireEvent.dragOver(stage, { dataTransfer });
  // jsdom's drag events have no place.
  const drop = createEvent.drop(stage, { dataTransfer });
  Object.defineProperties(drop, { clientX: { value: 124 }, clientY: { value: 118 } });
  fireEvent(stage, drop);
  expect(state().document.nodes.reader?.type).toBe('Reader');
  expect(state().document.layout.reader?.every(Number.isFinite)).toBe(true);
});

test('what a type lacks is said', async () => {
  const { palette } = await open();
  expect(palette.getByRole('button', { name: 'Ask' }).title).toContain('pip install asker');
});
