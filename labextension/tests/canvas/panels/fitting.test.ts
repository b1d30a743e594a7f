import { expect, test } from 'vitest';
import { fitting, fittingTypes } from '../../../src/canvas/panels/fitting';
import { createWorkflowStore } from '../../../src/model/store';
import { openedWith, port, TestHost } from '../../model/fake';
import { catalogue, chain } from '../harness';

function open() {
  const host = new TestHost();
  const store = createWorkflowStore(host);
  host.say(openedWith(chain, { catalogue }));
  return store.getState();
}

test('a wire from an output leads to types that take it, the exact ones first', () => {
  const types = fittingTypes(open(), { node: 'read', port: 'documents', side: 'source' });
  expect(types.map(({ type }) => type)).toEqual(['Cutter', 'Talker']);
});

test('a wire from an input leads back to types that feed it', () => {
  const types = fittingTypes(open(), { node: 'cut', port: 'documents', side: 'target' });
  expect(types.map(({ type }) => type)).toEqual(['Reader', 'Cutter']);
});

test('inputs that the run feeds are no target', () => {
  const inputs = [port('question', 'text', { source: 'run' }), port('text', 'text')];
  const found = fitting(open(), { node: 'talk', port: 'text', side: 'source' }, { inputs, outputs: [] });
  expect(found.map(({ name }) => name)).toEqual(['text']);
});

test('required inputs come before optional ones of the same kind', () => {
  const inputs = [port('maybe', 'text'), port('must', 'text', { required: true })];
  const found = fitting(open(), { node: 'talk', port: 'text', side: 'source' }, { inputs, outputs: [] });
  expect(found.map(({ name }) => name)).toEqual(['must', 'maybe']);
});
