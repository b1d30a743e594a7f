import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { fullText } from '../../../src/canvas/drawer/Drawer';
import type { Event, Opened } from '../../../src/model/types';
import { TestHost } from '../../model/fake';
import { chain, draw } from '../harness';

let remove = async () => {};
afterEach(() => remove());

async function open(more: Partial<Opened>, host = new TestHost()) {
  const drawn = await draw(chain, more, host);
  remove = drawn.remove;
  fireEvent.click(screen.getByRole('button', { name: 'Output' }));
  return { ...drawn, drawer: within(screen.getByRole('region', { name: 'Output' })) };
}

function ended(end: object): Partial<Opened> {
  const events = [
    { seq: 0, time: 0, type: 'run.started', run: 'r', workflow: 'w', nodes: ['read'] },
    { seq: 1, time: 1, type: 'run.finished', duration: 1, output: null, usage: null, error: null, ...end },
  ] as Event[];
  return { run: { id: 'r', status: 'completed', events } };
}

test('before a run it says what to do', async () => {
  const { drawer } = await open({});
  expect(drawer.getByText('Run the workflow to see its output here.')).toBeTruthy();
});

test('the output of the run', async () => {
  const { drawer } = await open(ended({ status: 'completed', output: { type: 'str', text: 'An answer.' } }));
  expect(drawer.getByLabelText('Output of the run').textContent).toBe('An answer.');
});

test('why the run failed', async () => {
  const error = { code: 'run', path: 'nodes.read', message: 'no such file', hint: 'Check the path.' };
  const { drawer } = await open(ended({ status: 'failed', error }));
  expect(drawer.getByRole('alert').textContent).toContain('no such file');
  expect(drawer.getByText('Check the path.')).toBeTruthy();
});

test('a preview that was cut off gives way to the text that was streamed', () => {
  expect(fullText('Hel…', 'Hello')).toBe('Hello');
  expect(fullText('Other', 'Hello')).toBe('Other');
  expect(fullText(undefined, 'Hel')).toBe('Hel');
});

class OutputHost extends TestHost {
  mounted = 0;
  fails = false;
  async mountOutput(el: HTMLElement): Promise<() => void> {
    if (this.fails) throw new Error('no manager');
    this.mounted += 1;
    el.append('rich value');
    return () => {
      this.mounted -= 1;
    };
  }
}

test('the host puts its output area in, and takes it out again', async () => {
  const host = new OutputHost();
  const { drawer } = await open({}, host);
  await act(async () => host.say({ type: 'shown', node: 'read', port: 'documents' }));
  expect(drawer.getByRole('tab', { name: 'read.documents' }).getAttribute('aria-selected')).toBe('true');
  expect(drawer.getByText('rich value')).toBeTruthy();
  expect(host.mounted).toBe(1);
  fireEvent.click(drawer.getByRole('button', { name: 'Close the output' }));
  expect(host.mounted).toBe(0);
});

test('an output area that cannot be had is told', async () => {
  const host = new OutputHost();
  host.fails = true;
  const { drawer } = await open({}, host);
  await act(async () => host.say({ type: 'shown', node: 'read', port: 'documents' }));
  await waitFor(() => drawer.getByText(/cannot be shown: Error: no manager/));
});
