import { expect, test } from 'vitest';
import { parseField, shownText } from '../../../src/canvas/inspector/values';
import { field } from '../harness';

test.each([
  ['integer', '12', 12],
  ['number', '0.5', 0.5],
  ['number', '0,5', 0.5],
  ['integer', '', undefined],
  ['text', 'a', 'a'],
  ['text', '', undefined],
  ['list', 'a\n\n b ', ['a', 'b']],
  ['list', '[1, 2]', [1, 2]],
  ['list', '[draft', ['[draft']],
  ['list', '', undefined],
  ['object', '{"a": 1}', { a: 1 }],
  ['json', '[1]', [1]],
  ['json', '', undefined],
  ['credential', ' work ', { $cred: 'work' }],
  ['credential', '', undefined],
] as const)('%s: %j is %j', (kind, text, value) => {
  expect(parseField(field('x', kind), text)).toEqual({ value });
});

test('the empty text counts where the default is another', () => {
  expect(parseField(field('x', 'multiline', { default: 'Be nice.' }), '')).toEqual({ value: '' });
});

test.each([
  ['integer', 'abc', /not a number/],
  ['integer', '1.5', /whole number/],
  ['integer', '0', /at least 1/],
  ['integer', '11', /at most 10/],
  ['object', '[1]', /must be an object/],
  ['json', '{', /not JSON/],
] as const)('%s: %j is refused', (kind, text, problem) => {
  expect(parseField(field('x', kind, { minimum: 1, maximum: 10 }), text)).toEqual({
    problem: expect.stringMatching(problem),
  });
});

test.each([
  ['text', 'a', 'a'],
  ['text', undefined, ''],
  ['integer', 3, '3'],
  ['list', ['a', 'b'], 'a\nb'],
  ['list', [1], '[1]'],
  ['credential', { $cred: 'work' }, 'work'],
  ['credential', 'sk-literal', ''],
  ['object', { a: 1 }, '{\n  "a": 1\n}'],
] as const)('%s: %j is shown', (kind, value, text) => {
  expect(shownText(field('x', kind), value)).toBe(text);
});

test.each(['list', 'object', 'integer', 'text'] as const)(
  'what is shown of a %s reads back the same',
  (kind) => {
    const value = { list: ['a', 'b'], object: { a: [1] }, integer: 7, text: 'x' }[kind];
    const of = field('x', kind);
    expect(parseField(of, shownText(of, value))).toEqual({ value });
  },
);
