import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PAUSE } from '../../../src/canvas/inspector/useDraft';
import type { Opened } from '../../../src/model/types';
import { chain, draw } from '../harness';

let remove = async () => {};
beforeEach(() => vi.useRealTimers());
afterEach(async () => {
  vi.useRealTimers();
  await remove();
});

async function inspect(id: string, more: Partial<Opened> = {}) {
  const drawn = await draw(chain, more);
  remove = drawn.remove;
  fireEvent.click(screen.getByRole('button', { name: new RegExp(`\\(${id}\\)`), hidden: true }));
  return { ...drawn, panel: within(screen.getByRole('complementary', { name: 'Inspector' })) };
}

const type = (el: HTMLElement, value: string) => fireEvent.change(el, { target: { value } });

test('a default is a placeholder, a setting has a way back', async () => {
  const { panel, state } = await inspect('cut');
  const size = panel.getByRole<HTMLInputElement>('textbox', { name: 'Chunk size' });
  expect([size.value, size.placeholder]).toEqual(['200', '400']);
  fireEvent.click(panel.getByRole('button', { name: 'Reset Chunk size to its default' }));
  expect(state().document.nodes.cut?.settings).toEqual({});
  expect(size.value).toBe('');
  expect(panel.queryByRole('button', { name: 'Reset Chunk size to its default' })).toBeNull();
});

test('what is typed counts on blur, on Enter and after a pause', async () => {
  const { panel, state } = await inspect('cut');
  const size = panel.getByRole('textbox', { name: 'Chunk size' });
  const now = () => state().document.nodes.cut?.settings.chunk_size;
  type(size, '300');
  expect(now()).toBe(200);
  fireEvent.blur(size);
  expect(now()).toBe(300);
  type(size, '500');
  fireEvent.keyDown(size, { key: 'Enter' });
  expect(now()).toBe(500);
  vi.useFakeTimers();
  type(size, '600');
  act(() => {
    vi.advanceTimersByTime(PAUSE);
  });
  expect(now()).toBe(600);
});

test('what is still being typed counts for the run that starts', async () => {
  const { panel, host } = await inspect('cut');
  const size = panel.getByRole('textbox', { name: 'Chunk size' });
  size.focus();
  type(size, '300');
  fireEvent.keyDown(size, { key: 'Enter', ctrlKey: true });
  expect(host.sent.map((message) => message.type)).toEqual(['open', 'change', 'start']);
  expect(document.activeElement).toBe(size);
});

test('Escape gives up what was typed', async () => {
  const { panel, host } = await inspect('cut');
  const size = panel.getByRole<HTMLInputElement>('textbox', { name: 'Chunk size' });
  type(size, '300');
  fireEvent.keyDown(size, { key: 'Escape' });
  expect(size.value).toBe('200');
  expect(host.sent.map((message) => message.type)).toEqual(['open']);
});

test('what is no value is refused at the field and not sent', async () => {
  const { panel, host } = await inspect('cut');
  const size = panel.getByRole('textbox', { name: 'Chunk size' });
  type(size, 'many');
  fireEvent.blur(size);
  expect(panel.getByRole('alert').textContent).toBe('“many” is not a number.');
  expect(host.sent.map((message) => message.type)).toEqual(['open']);
});

test('choices, switches and lists', async () => {
  const { panel, state } = await inspect('cut');
  const settings = () => state().document.nodes.cut?.settings;
  fireEvent.change(panel.getByRole('combobox', { name: 'Mode' }), { target: { value: '"lines"' } });
  fireEvent.click(panel.getByRole('checkbox', { name: 'Keep' }));
  const skip = panel.getByRole('textbox', { name: 'Skip' });
  type(skip, 'a\nb');
  fireEvent.blur(skip);
  expect(settings()).toEqual({ chunk_size: 200, mode: 'lines', keep: false, skip: ['a', 'b'] });
  fireEvent.change(panel.getByRole('combobox', { name: 'Mode' }), { target: { value: '' } });
  expect(settings()).not.toHaveProperty('mode');
});

test('a credential is a name, never a value', async () => {
  const { panel, state } = await inspect('talk');
  const key = panel.getByRole('textbox', { name: 'Key' });
  type(key, 'work');
  fireEvent.blur(key);
  expect(state().document.nodes.talk?.settings.key).toEqual({ $cred: 'work' });
});

test('a setting that a wire overrides says where its value comes from', async () => {
  const { panel } = await inspect('talk');
  expect(panel.getByText('Prompt').parentElement?.textContent).toBe('Promptfrom cut.documents');
  expect(panel.queryByRole('textbox', { name: 'Prompt' })).toBeNull();
});

test('a problem stands at its field, others above the form', async () => {
  const { panel } = await inspect('cut', {
    problems: [
      { code: 'setting', path: 'nodes.cut.settings.chunk_size', message: 'too small', hint: 'Take 400.' },
      { code: 'missing_input', path: 'nodes.cut.documents', message: 'nothing feeds it', hint: '' },
    ],
  });
  const size = panel.getByRole('textbox', { name: 'Chunk size' });
  expect(size.getAttribute('aria-invalid')).toBe('true');
  expect(panel.getByRole('alert').textContent).toBe('too small Take 400.');
  expect(panel.getByText('nothing feeds it')).toBeTruthy();
});

test('the title renames, an empty one goes back to the type', async () => {
  const { panel, state } = await inspect('cut');
  const title = panel.getByRole('textbox', { name: 'Title' });
  type(title, 'Slices');
  fireEvent.blur(title);
  expect(state().document.nodes.cut?.title).toBe('Slices');
  type(title, '');
  fireEvent.blur(title);
  expect(state().document.nodes.cut?.title).toBeUndefined();
});

test('ports say what feeds them, the help is there', async () => {
  const { panel } = await inspect('cut');
  expect(panel.getByText('read.documents')).toBeTruthy();
  fireEvent.click(panel.getByRole('button', { name: 'Close the inspector' }));
  expect(screen.queryByRole('complementary', { name: 'Inspector' })).toBeNull();
});

test('the help of a type is drawn', async () => {
  const { panel } = await inspect('read');
  expect(panel.getByText('one document a file').tagName).toBe('LI');
  expect(panel.getByText('wf.add("Reader")').tagName).toBe('PRE');
});
