import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import type { Event, FieldSpec, Question } from '../../../src/model/types';
import { TestHost } from '../../model/fake';
import { box, chain, draw, field } from '../harness';

let remove = async () => {};
afterEach(() => remove());

const approve = field('approve', 'boolean', { title: 'Approve', required: true });
const asks = (form: FieldSpec[], data: unknown = 'Dear reader'): Question => ({
  text: 'Send it?',
  value: { type: 'str', text: String(data) },
  form,
  data,
});

async function ask(question: Question, status: 'paused' | 'running' = 'paused') {
  const events = [
    { seq: 0, time: 0, type: 'run.started', run: 'r', workflow: 'w', nodes: ['talk'] },
    { seq: 1, time: 0, type: 'node.started', node: 'talk', why: '' },
    { seq: 2, time: 0, type: 'node.asked', node: 'talk', question },
    ...(status === 'paused' ? [{ seq: 3, time: 0, type: 'run.paused', nodes: ['talk'] }] : []),
  ] as unknown as Event[];
  const drawn = await draw(chain, { run: { id: 'r', status, events } }, new TestHost());
  remove = drawn.remove;
  return { ...drawn, panel: within(screen.getByRole('region', { name: 'Questions of the run' })) };
}

test('a question is approved or rejected', async () => {
  const { host, panel } = await ask(asks([approve]));
  expect(panel.getByText('Send it?')).toBeTruthy();
  expect(panel.getByText('Dear reader')).toBeTruthy();
  fireEvent.click(panel.getByRole('button', { name: 'Reject' }));
  expect(host.last('answer')).toEqual({ type: 'answer', address: 'talk', answer: { approve: false } });
  expect(panel.getByRole<HTMLButtonElement>('button', { name: 'Approve' }).disabled).toBe(true);
  const error = { code: 'input', message: 'no', hint: '', path: '' };
  await act(async () => host.say({ type: 'failed', error }));
  fireEvent.click(panel.getByRole('button', { name: 'Approve' }));
  expect(host.last('answer').answer).toEqual({ approve: true });
});

test('the value may be changed, and only what was changed is sent', async () => {
  const form = [approve, field('value', 'multiline', { title: 'Value' }), field('comment', 'text')];
  const { host, panel } = await ask(asks(form));
  const value = panel.getByRole<HTMLTextAreaElement>('textbox', { name: 'Value' });
  expect(value.value).toBe('Dear reader');
  fireEvent.click(panel.getByRole('button', { name: 'Approve' }));
  expect(host.last('answer').answer).toEqual({ approve: true });
  fireEvent.change(value, { target: { value: 'Dear all' } });
  fireEvent.blur(value);
  await act(async () => host.say({ type: 'failed', error: { code: '', message: '', hint: '', path: '' } }));
  fireEvent.click(panel.getByRole('button', { name: 'Approve' }));
  expect(host.last('answer').answer).toEqual({ approve: true, value: 'Dear all' });
});

test('what is needed is asked for, and what does not fit is told', async () => {
  const form = [
    field('reason', 'text', { title: 'Reason', required: true }),
    field('count', 'integer', { title: 'Count' }),
  ];
  const { host, panel } = await ask(asks(form));
  fireEvent.click(panel.getByRole('button', { name: 'Answer' }));
  expect(panel.getByRole('alert').textContent).toBe('This is needed.');
  fireEvent.change(panel.getByLabelText('Count'), { target: { value: 'many' } });
  fireEvent.blur(panel.getByLabelText('Count'));
  expect(panel.getByText(/is not a number/)).toBeTruthy();
  fireEvent.change(panel.getByLabelText(/Reason/), { target: { value: 'so' } });
  fireEvent.blur(panel.getByLabelText(/Reason/));
  fireEvent.click(panel.getByRole('button', { name: 'Answer' }));
  expect(host.last('answer').answer).toEqual({ reason: 'so' });
});

test('while the rest goes on one waits; the node says what it asks', async () => {
  const { el, panel, host } = await ask(asks([approve]), 'running');
  expect(panel.getByText('You can answer when the rest is done.')).toBeTruthy();
  expect(panel.getByRole<HTMLButtonElement>('button', { name: 'Approve' }).disabled).toBe(true);
  fireEvent.click(panel.getByRole('button', { name: 'Close the questions' }));
  expect(screen.queryByRole('region', { name: 'Questions of the run' })).toBeNull();
  fireEvent.click(within(box(el, 'talk')).getByRole('button', { name: 'Answer…', hidden: true }));
  expect(screen.getByRole('region', { name: 'Questions of the run' })).toBeTruthy();
  const answered = { seq: 4, time: 1, type: 'node.answered', node: 'talk' } as unknown as Event;
  await act(async () => host.say({ type: 'events', run: 'r', events: [answered] }));
  expect(screen.queryByRole('region', { name: 'Questions of the run' })).toBeNull();
});
