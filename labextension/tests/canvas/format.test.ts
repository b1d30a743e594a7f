import { expect, test } from 'vitest';
import { count, formatDuration, oneLine, summarise } from '../../src/canvas/format';

test.each([
  [0.0004, '0 ms'],
  [0.42, '420 ms'],
  [3.21, '3.2 s'],
  [65.2, '1 min 05 s'],
  [59.97, '1 min 00 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('counts', () => {
  expect(count(1, 'token')).toBe('1 token');
  expect(count(1200, 'token')).toBe('1,200 tokens');
});

test('one line of any text', () => {
  expect(oneLine(' a\n b ')).toBe('a b');
  expect(oneLine('abcdef', 4)).toBe('abc…');
});

test.each([
  ['a\nb', 'a b'],
  [null, ''],
  [3, '3'],
  [{ $cred: 'work' }, 'work'],
  [['a'], '["a"]'],
])('%j is summarised', (value, text) => {
  expect(summarise(value)).toBe(text);
});
