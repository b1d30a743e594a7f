import { act, fireEvent, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { legalPorts } from '../../../src/canvas/flow/useConnecting';
import { port } from '../../model/fake';
import { box, canvas, catalogue, chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

const loose = { ...chain, edges: [] };

async function open() {
  const drawn = await draw(loose);
  remove = drawn.remove;
  return drawn;
}

function handle(el: HTMLElement, node: string, name: string): Element {
  const found = box(el, node).querySelector(`.react-flow__handle[data-handleid="${name}"]`);
  if (!found) throw new Error(`${node} has no handle ${name}`);
  return found;
}

/** Drags a wire from a handle and lets it go over an element. */
async function drag(from: Element, over: Element): Promise<void> {
  document.elementFromPoint = () => over;
  const at = (x: number) => ({ clientX: x, clientY: x, button: 0, bubbles: true });
  await act(async () => {
    fireEvent.mouseDown(from, at(600));
    fireEvent.mouseMove(document, at(640));
  });
  expect(canvas().classList.contains('is-connecting')).toBe(true);
  await act(async () => {
    fireEvent.mouseUp(document, at(640));
  });
}

test('the ports that take a wire, and why the others do not', async () => {
  const { state } = await open();
  const from = { node: 'read', port: 'documents', side: 'source' } as const;
  expect(legalPorts(state(), from, 'cut')).toEqual({ legal: ['documents'], reasons: [] });
  expect(legalPorts(state(), from, 'read').legal).toEqual([]);
  const back = { node: 'cut', port: 'documents', side: 'target' } as const;
  const { legal, reasons } = legalPorts(state(), back, 'talk');
  expect([legal, reasons.length]).toEqual([[], 2]);
});

test('a wire dropped on a node takes the only port that fits', async () => {
  const { el, state } = await open();
  await drag(handle(el, 'read', 'documents'), box(el, 'cut'));
  expect(state().document.edges).toEqual([['read.documents', 'cut.documents']]);
  expect(canvas().classList.contains('is-connecting')).toBe(false);
});

test('where several fit, one is asked to choose', async () => {
  const { el, host, state } = await open();
  const inputs = [port('a', 'documents'), port('b', 'documents')];
  const spec = { ...catalogue.nodes[1], ports: { inputs, outputs: [] } } as (typeof catalogue.nodes)[number];
  await act(async () => host.say({ type: 'registered', nodes: [spec], ports: {} }));
  await drag(handle(el, 'read', 'documents'), box(el, 'cut'));
  expect(state().document.edges).toEqual([]);
  expect(screen.getByText('Several ports fit (a, b): drop on one.')).toBeTruthy();
});

test('a node that does not fit says why', async () => {
  const { el, state } = await open();
  await drag(handle(el, 'talk', 'model'), box(el, 'cut'));
  expect(state().document.edges).toEqual([]);
  expect(el.querySelector('.bz-toast')?.textContent).toMatch(/model/i);
});

test('a wire dropped in the void offers what fits, and connects it', async () => {
  const { el, state } = await open();
  await drag(handle(el, 'read', 'documents'), el.querySelector('.react-flow__pane') as Element);
  expect(screen.getAllByRole('option').map((option) => option.querySelector('strong')?.textContent)).toEqual([
    'Cut',
    'Talk',
  ]);
  fireEvent.keyDown(screen.getByRole('combobox', { name: 'Node type' }), { key: 'Enter' });
  expect(state().document.edges).toEqual([['read.documents', 'cutter.documents']]);
});

test('while a wire is drawn, only what takes it is lit', async () => {
  const { el } = await open();
  document.elementFromPoint = () => null;
  const at = { clientX: 600, clientY: 600, button: 0 };
  await act(async () => {
    fireEvent.mouseDown(handle(el, 'read', 'documents'), at);
    fireEvent.mouseMove(document, { ...at, clientX: 650 });
  });
  const lit = [...el.querySelectorAll('.bz-port.is-legal')].map((found) => found.textContent);
  expect(lit).toEqual(['documents*', 'prompt']);
  await act(async () => {
    fireEvent.mouseUp(document, at);
  });
  await vi.waitFor(() => expect(el.querySelector('.bz-port.is-legal')).toBeNull());
});
