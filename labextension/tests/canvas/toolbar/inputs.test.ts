import { expect, test } from 'vitest';
import { inputKey, runInputs } from '../../../src/canvas/toolbar/inputs';
import type { RunInput } from '../../../src/model/types';

function input(name: string, more: Partial<RunInput> = {}): RunInput {
  return { name, node: 'ask', port: name, title: '', tag: 'text', required: true, default: null, ...more };
}

test('text is taken as it is, everything else as JSON where it is JSON', () => {
  const inputs = [input('question'), input('k', { tag: 'data' }), input('rest', { tag: 'data' })];
  const given = runInputs(inputs, { question: '42', k: '3', rest: 'no json' });
  expect(given).toEqual({ inputs: { question: '42', k: 3, rest: 'no json' }, missing: [] });
});

test('an empty input is left out; without a default it is missing', () => {
  const inputs = [input('a'), input('b', { default: 'x' }), input('c', { required: false })];
  expect(runInputs(inputs, {})).toEqual({ inputs: {}, missing: ['a'] });
});

test('a name that two nodes share is written with its node', () => {
  const inputs = [input('q'), input('q', { node: 'other' }), input('k')];
  expect(inputs.map((one) => inputKey(one, inputs))).toEqual(['ask.q', 'other.q', 'k']);
});
