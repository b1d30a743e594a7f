import { expect, test } from 'vitest';
import { describeSize } from '../../src/model/counts';

test('one node is not plural', () => {
  expect(describeSize(1)).toBe('1 node');
  expect(describeSize(2)).toBe('2 nodes');
});
