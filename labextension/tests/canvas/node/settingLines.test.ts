import { expect, test } from 'vitest';
import { settingLines } from '../../../src/canvas/node/settingLines';
import { catalogue, field } from '../harness';

const entry = (settings: Record<string, unknown>) => ({ type: 'Cutter', version: 1, settings });
const spec = catalogue.nodes[1];
const none = new Set<string>();

test('what somebody set comes first, then defaults', () => {
  expect(settingLines(entry({ mode: 'lines' }), spec, none)).toEqual([
    { name: 'mode', title: 'Mode', text: 'lines' },
    { name: 'chunk_size', title: 'Chunk size', text: '400' },
  ]);
});

test('a setting that a wire overrides is left out', () => {
  const fields = [field('prompt', 'text', { port: true, default: 'x' })];
  const wired = { ...spec, fields } as typeof spec;
  expect(settingLines(entry({}), wired, none)).toHaveLength(1);
  expect(settingLines(entry({}), wired, new Set(['prompt']))).toEqual([]);
});

test('an unknown type shows what it keeps', () => {
  expect(settingLines(entry({ channel: '#a', token: { $cred: 'b' }, more: 1 }), undefined, none)).toEqual([
    { name: 'channel', title: 'channel', text: '#a' },
    { name: 'token', title: 'token', text: 'b' },
  ]);
});
