import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apply, ChangeError, invert, same } from '../../src/model/changes';
import type { Document, Operation } from '../../src/model/types';

interface Case {
  name: string;
  document: Document;
  operations: Operation[];
  result?: Document;
  error?: string;
}

const cases: Case[] = JSON.parse(readFileSync('tests/fixtures/changes.json', 'utf8'));

/** Any write to a part of it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

describe('fixtures shared with Python', () => {
  test.each(cases)('$name', ({ document, operations, result, error }) => {
    frozen(document);
    if (error) {
      expect(() => apply(document, operations)).toThrow(expect.objectContaining({ code: error }));
      return;
    }
    const changed = frozen(apply(document, operations));
    expect(JSON.parse(JSON.stringify(changed))).toEqual(result);
    expect(same(changed, result)).toBe(true);
    expect(same(apply(changed, invert(operations)), document)).toBe(true);
  });
});

const document: Document = frozen({
  bpaz: 1,
  name: 'Test',
  nodes: { a: { type: 'T', version: 1, settings: { x: 1 } }, b: { type: 'T', version: 1, settings: {} } },
  edges: [['a.out', 'b.in']],
  layout: { a: [0, 0] },
  notes: {},
  groups: {},
});

test('what did not change is the same object', () => {
  const changed = apply(document, [{ path: ['nodes', 'a', 'settings', 'x'], old: 1, new: 2 }]);
  expect(changed.nodes.a).not.toBe(document.nodes.a);
  expect(changed.nodes.b).toBe(document.nodes.b);
  expect(changed.edges).toBe(document.edges);
  expect(changed.layout).toBe(document.layout);
  const moved = apply(document, [{ edge: ['b.out', 'a.in'], new: 0 }]);
  expect(moved.edges[1]).toBe(document.edges[0]);
  expect(moved.nodes).toBe(document.nodes);
});

test('an error says where', () => {
  const attempt = () => apply(document, [{ path: ['nodes', 'a', 'settings', 'x'], old: 2, new: 3 }]);
  expect(attempt).toThrow(ChangeError);
  expect(attempt).toThrow(expect.objectContaining({ path: 'nodes.a.settings.x' }));
});
