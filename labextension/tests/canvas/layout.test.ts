import { expect, test } from 'vitest';
import { free, layered, placed } from '../../src/canvas/layout';
import { documentOf } from '../model/fake';
import { chain } from './harness';

const sizes = () => ({ width: 200, height: 100 });

test('layers run from left to right and nothing overlaps', () => {
  const positions = layered(chain, sizes);
  const [read, cut, talk] = ['read', 'cut', 'talk'].map((id) => positions[id]?.[0] ?? Number.NaN) as [
    number,
    number,
    number,
  ];
  expect(cut).toBeGreaterThanOrEqual(read + 200);
  expect(talk).toBeGreaterThanOrEqual(cut + 200);
});

test('nodes of one layer stand below one another', () => {
  const nodes = { a: chain.nodes.read, b: chain.nodes.read } as typeof chain.nodes;
  const { a, b } = layered(documentOf({ nodes }), sizes) as Record<string, [number, number]>;
  expect(Math.abs((a?.[1] ?? 0) - (b?.[1] ?? 0))).toBeGreaterThanOrEqual(100);
});

test('an edge to a node that is gone does not matter', () => {
  const document = { ...chain, edges: [...chain.edges, ['gone.out', 'cut.documents']] } as typeof chain;
  expect(Object.keys(layered(document, sizes)).sort()).toEqual(['cut', 'read', 'talk']);
});

test('a place in the document counts', () => {
  expect(placed(chain, sizes)).toEqual(chain.layout);
});

test('a node without a place comes right of what feeds it', () => {
  const document = { ...chain, layout: { read: [0, 0], cut: [300, 0] } } as typeof chain;
  const [x, y] = placed(document, sizes).talk ?? [0, 0];
  expect(x).toBeGreaterThan(300);
  expect(y).toBe(0);
});

test('a node without place and edges comes below everything', () => {
  const document = { ...chain, edges: [], layout: { read: [0, 0], cut: [300, 50] } } as typeof chain;
  expect(placed(document, sizes).talk?.[1]).toBeGreaterThan(50);
});

test('what is drawn already stays where it is', () => {
  const bare = { ...chain, layout: {} };
  const drawn = (id: string): [number, number] | undefined => (id === 'talk' ? undefined : [id.length, 7]);
  expect(placed(bare, sizes, drawn)).toMatchObject({ read: [4, 7], cut: [3, 7] });
});

test('a free place is not taken', () => {
  const size = { width: 200, height: 100 };
  expect(free([10, 10], size, [])).toEqual([10, 10]);
  expect(free([10, 10], size, [{ x: 0, y: 0, ...size }])).toEqual([10, 156]);
  expect(free([10, 10], size, [{ x: 300, y: 0, ...size }])).toEqual([10, 10]);
});
