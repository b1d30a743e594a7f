import { expect, test } from 'vitest';
import { readDocument } from '../../src/model/document';
import { snakeCase, uniqueId } from '../../src/model/ids';
import { documentOf, pair, plain } from './fake';

test('a document in normal form is read as it is', () => {
  const full = documentOf({
    ...pair,
    notes: { n: { text: 'Hi', at: [1, 2], size: [3, 4], color: 'blue' } },
    groups: { g: { title: 'G', nodes: ['sink'], color: 'red' } },
  });
  expect(plain(readDocument(full))).toEqual(full);
});

test('a short document gets its sections', () => {
  const read = readDocument({ bpaz: 1, name: 'Short', nodes: { a: { type: 'T', title: 'A', body: {} } } });
  const body = { nodes: {}, edges: [], layout: {}, notes: {}, groups: {} };
  expect(plain(read)).toEqual(
    documentOf({
      name: 'Short',
      nodes: { a: { type: 'T', title: 'A', body, version: 1, settings: {} } },
    }),
  );
});

test('edges are sorted by the port they enter, and siblings keep their order', () => {
  const edges = [
    ['z.o', 'm.i'],
    ['a.o', 'b.i'],
    ['a.o', 'm.i'],
  ];
  expect(readDocument({ bpaz: 1, edges })?.edges).toEqual([
    ['a.o', 'b.i'],
    ['z.o', 'm.i'],
    ['a.o', 'm.i'],
  ]);
});

test.each([null, undefined, 5, 'text', [], {}, { bpaz: '1' }])('%j is no document', (value) => {
  expect(readDocument(value)).toBeNull();
});

test('what has not the shape is left out', () => {
  const hostile = JSON.parse(`{
    "bpaz": 1, "name": {}, "edges": [["a.b"], ["a.b", 5], "x", ["a", "b.c"], ["a.b", "c.d"]],
    "nodes": {"a": 5, "b": {"type": 5}, "not an id": {"type": "T"}, "__proto__": {"type": "T", "settings": []}},
    "layout": {"a": "here", "b": [1], "c": [1, "2"], "d": [1, 2]},
    "notes": {"a": {"text": 5, "at": [0, 0]}, "b": {"text": "x"}, "c": [], "d": {"text": "x", "at": [0, 0], "color": 5}},
    "groups": {"a": {"title": "x"}, "b": {"title": "x", "nodes": [5, "d"]}, "c": 1}
  }`);
  const read = readDocument(hostile);
  expect(read?.name).toBe('');
  expect(read?.edges).toEqual([['a.b', 'c.d']]);
  expect(Object.entries(read?.nodes ?? {})).toEqual([['__proto__', { type: 'T', version: 1, settings: {} }]]);
  expect(plain(read?.layout)).toEqual({ d: [1, 2] });
  expect(plain(read?.notes)).toEqual({ d: { text: 'x', at: [0, 0] } });
  expect(plain(read?.groups)).toEqual({ b: { title: 'x', nodes: ['d'] } });
});

test.each([
  ['RecursiveTextSplitter', 'recursive_text_splitter'],
  ['LLMChain', 'llm_chain'],
  ['OpenAICompatibleChat', 'open_ai_compatible_chat'],
  ['my function', 'my_function'],
  ['2Fast', 'node_2_fast'],
  ['世界', 'node'],
  ['__main__.double', 'main_double'],
])('the type %s gives the id %s', (type, id) => {
  expect(snakeCase(type)).toBe(id);
});

test('ids stay short and count on', () => {
  const taken = new Set(['a', 'a_2', 'x'.repeat(64)]);
  expect(uniqueId('a', (id) => taken.has(id))).toBe('a_3');
  expect(uniqueId('a_2', (id) => taken.has(id))).toBe('a_3');
  expect(uniqueId('x'.repeat(80), (id) => taken.has(id))).toBe(`${'x'.repeat(62)}_2`);
});
