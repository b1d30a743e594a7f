import { expect, test } from 'vitest';
import { tagTitle } from '../../src/model/connections';
import { catalogue, changed, documentOf, pair, readyStore } from './fake';

const ref = (end: string) => {
  const [node, port] = end.split('.') as [string, string];
  return { node, port };
};

const chain = documentOf({
  nodes: {
    source: { type: 'Source', version: 1, settings: {} },
    one: { type: 'TextSink', version: 3, settings: {} },
    two: { type: 'TextSink', version: 3, settings: {} },
    ghost: { type: 'Nowhere', version: 1, settings: {} },
  },
  edges: [
    ['source.text', 'ghost.in'],
    ['one.out', 'two.text'],
  ],
});

test.each([
  ['source.text', 'one.text', null],
  ['source.text', 'two.all', null],
  ['source.nothing', 'one.text', 'source has no output nothing'],
  ['nobody.text', 'one.text', 'nobody has no output text'],
  ['source.text', 'one.nothing', 'one has no input nothing'],
  ['source.text', 'ghost.in', 'ghost has no input in'],
  ['one.out', 'source.ask', 'ask is an input of the run, not of a wire'],
  ['one.out', 'one.all', 'A node cannot feed itself'],
  ['one.out', 'two.text', 'These two are connected already'],
  ['source.text', 'two.text', 'The text takes one wire, and has it'],
  ['source.model', 'one.text', 'Language model does not fit Text'],
  ['two.out', 'one.all', 'This would close a circle'],
])('%s -> %s: %s', (source, target, reason) => {
  const { state } = readyStore(chain);
  expect(state().isLegal(ref(source), ref(target))).toBe(reason);
});

test('a circle that an edit opened is none any more', () => {
  const { state } = readyStore(chain);
  expect(state().isLegal(ref('two.out'), ref('one.all'))).not.toBeNull();
  state().disconnect([['one.out', 'two.text']]);
  expect(state().isLegal(ref('two.out'), ref('one.all'))).toBeNull();
});

test('ports are those of the type, and the same object every time', () => {
  const { host, state } = readyStore();
  const ports = state().portsOf('source');
  expect(ports.outputs.map((port) => port.name)).toEqual(['text', 'model']);
  expect(state().portsOf('source')).toBe(ports);
  state().setSetting('source', 'x', 2);
  expect(state().portsOf('source')).toBe(ports);
  expect(host.sent).toHaveLength(2);
});

test("a node's own ports go before those of its type", () => {
  const { host, state } = readyStore();
  const own = { inputs: [], outputs: state().portsOf('source').outputs.slice(0, 1) };
  host.say(changed('', 1, [], { ports: { source: own } }));
  expect(state().portsOf('source')).toEqual(own);
});

test('ports that only edges know of are drawn, so that no edge hangs in the air', () => {
  const edges: [string, string][] = [...pair.edges, ['source.gone', 'ghost.in'], ['sink.out', 'ghost.in']];
  const { state } = readyStore(documentOf({ ...chain, nodes: { ...pair.nodes, ...chain.nodes }, edges }));
  expect(
    state()
      .portsOf('source')
      .outputs.map((port) => port.name),
  ).toEqual(['text', 'model', 'gone']);
  expect(state().portsOf('ghost').inputs).toMatchObject([{ name: 'in', tag: 'any', many: true }]);
  expect(state().portsOf('ghost')).toBe(state().portsOf('ghost'));
  expect(state().portsOf('nobody')).toEqual({ inputs: [], outputs: [] });
});

test('tags are read as words', () => {
  expect(tagTitle(catalogue, 'list[model]')).toBe('List of Language model');
  expect(tagTitle(catalogue, 'unheard')).toBe('unheard');
});
