import { Position } from '@xyflow/react';
import { expect, test } from 'vitest';
import { curve, lane, leadsBack } from '../../src/canvas/flow/wires';

const ends = (sourceX: number, targetX: number, targetY = 300) => ({
  sourceX,
  sourceY: 50,
  sourcePosition: Position.Right,
  targetX,
  targetY,
  targetPosition: Position.Left,
});

test('a wire to the right is a curve', () => {
  expect(leadsBack(ends(0, 100))).toBe(false);
  expect(curve(ends(0, 100))).toMatch(/^M0,50 C/);
});

test('a wire to the left runs above the node that it enters', () => {
  const wire = ends(900, 100);
  expect(leadsBack(wire)).toBe(true);
  const path = lane(wire, 244);
  expect(path).toMatch(/^M900 50H/);
  expect(path).toContain('V224'); // above the node's upper edge, less the rounding
  expect(path).toMatch(/H100$/);
});

test('wires into two ports of one node keep apart', () => {
  const first = lane(ends(900, 100, 300), 244).match(/H(\d+)Q(\d+) (\d+)/g);
  const second = lane(ends(900, 100, 324), 244).match(/H(\d+)Q(\d+) (\d+)/g);
  expect(first?.[1]).not.toBe(second?.[1]);
});
