import { expect, test } from 'vitest';
import { rank, score } from '../../../src/canvas/panels/fuzzy';
import { catalogue } from '../harness';

const names = (query: string) => rank(query, catalogue.nodes, catalogue).map(({ type }) => type);

test('whole words count more than scattered letters, and both more than nothing', () => {
  expect(score('cut', 'Cut')).toBeGreaterThan(score('cut', 'Shortcut'));
  expect(score('cut', 'Shortcut')).toBeGreaterThan(score('cut', 'chat unit'));
  expect(score('chp', 'chatPrompt')).toBeGreaterThan(0);
  expect(score('xyz', 'Cut')).toBe(0);
});

test('an empty query finds all in their order', () => {
  expect(names(' ')).toEqual(['Reader', 'Cutter', 'Talker', 'Asker']);
});

test.each([
  ['read', 'Reader'],
  ['talk', 'Talker'],
  ['rdr', 'Reader'],
  ['chunks', 'Cutter'],
  ['data cut', 'Cutter'],
])('%s finds %s first', (query, type) => {
  expect(names(query)[0]).toBe(type);
});

test('the category finds all of its types', () => {
  expect(names('models')).toEqual(['Talker']);
});

test('every word must be found', () => {
  expect(names('cut nothing')).toEqual([]);
});
