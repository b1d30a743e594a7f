import { expect, test } from 'vitest';
import { apply, invert } from '../../src/model/changes';
import { documentOf, pair, plain, readyStore } from './fake';

const note = { text: 'Hello', at: [0, 0] as [number, number] };

/** The store after an edit, whose one change is taken back in the end without a trace. */
function after(edit: (state: ReturnType<ReturnType<typeof readyStore>['state']>) => void, document = pair) {
  const { host, state } = readyStore(document);
  edit(state());
  const { operations } = host.last('change');
  expect(host.sent).toHaveLength(2);
  expect(plain(apply(state().document, invert(operations)))).toEqual(document);
  return plain(state().document);
}

test('a node is added with a readable id, the version of its type and whole pixels', () => {
  const document = after((state) => expect(state.addNode('TextSink', [1.4, 2.6])).toBe('text_sink'));
  expect(document.nodes.text_sink).toEqual({ type: 'TextSink', version: 3, settings: {} });
  expect(document.layout.text_sink).toEqual([1, 3]);
});

test('ids are unique', () => {
  const { state } = readyStore();
  expect(state().addNode('Source', [0, 0], { x: 1 })).toBe('source_2');
  expect(state().addNode('Source', [0, 0])).toBe('source_3');
  expect(state().document.nodes.source_2?.settings).toEqual({ x: 1 });
});

test('nodes go with their edges, places and memberships', () => {
  const groups = {
    both: { title: 'Both', nodes: ['source', 'sink'] },
    one: { title: 'One', nodes: ['source'] },
    empty: { title: 'Empty', nodes: [] },
  };
  const document = after((state) => state.removeNodes(['source', 'nobody']), documentOf({ ...pair, groups }));
  expect(Object.keys(document.nodes)).toEqual(['sink']);
  expect(document.edges).toEqual([]);
  expect(document.layout).toEqual({ sink: [200, 0] });
  expect(document.groups).toEqual({ both: { title: 'Both', nodes: ['sink'] }, empty: groups.empty });
});

test('an edge is added after its siblings and several are removed at once', () => {
  const edges: [string, string][] = [
    ['a.text', 'sink.all'],
    ['b.text', 'sink.all'],
    ['c.text', 'sink.all'],
  ];
  const many = documentOf({ ...pair, edges });
  const more = after(
    (state) => state.connect({ node: 'source', port: 'text' }, { node: 'sink', port: 'all' }),
    many,
  );
  expect(more.edges).toEqual([...edges, ['source.text', 'sink.all']]);
  const fewer = after(
    (state) => state.disconnect([edges[2] as [string, string], edges[0] as [string, string]]),
    many,
  );
  expect(fewer.edges).toEqual([['b.text', 'sink.all']]);
});

test('moving many nodes is one change', () => {
  const document = after((state) => state.arrange({ source: [5, 5], sink: [200, 0] }));
  expect(document.layout).toEqual({ source: [5, 5], sink: [200, 0] });
  expect(after((state) => state.move({ sink: [1, 1] })).layout.sink).toEqual([1, 1]);
});

test('a setting and a title go back to their defaults', () => {
  expect(after((state) => state.setSetting('source', 'x', undefined)).nodes.source?.settings).toEqual({});
  const titled = documentOf({ nodes: { a: { type: 'Source', version: 1, settings: {}, title: 'A' } } });
  expect(after((state) => state.setTitle('a', '  '), titled).nodes.a).not.toHaveProperty('title');
});

test('a node that is gone has no settings to set', () => {
  const { host, state } = readyStore();
  state().setSetting('nobody', 'x', 1);
  expect(state().notice?.code).toBe('stale_change');
  expect(host.sent).toHaveLength(1);
});

test('duplicates keep the edges among them', () => {
  const document = after((state) =>
    expect(state.duplicate(['source', 'sink'])).toEqual(['source_2', 'sink_2']),
  );
  expect(document.edges).toContainEqual(['source_2.text', 'sink_2.text']);
  expect(document.layout.sink_2).toEqual([240, 40]);
  const alone = after((state) => state.duplicate(['sink'], [0, 9]));
  expect(alone.edges).toEqual(pair.edges);
  expect(alone.layout.sink_2).toEqual([200, 9]);
});

test('what was copied is pasted into another workflow, at the point', () => {
  const { state } = readyStore(documentOf({ ...pair, notes: { hint: note } }));
  const text = state().copy(['source', 'sink', 'hint']);
  const target = readyStore(documentOf());
  expect(target.state().paste(text, [100, 100])).toEqual(['source', 'sink', 'hint']);
  expect(plain(target.state().document)).toMatchObject({
    nodes: pair.nodes,
    edges: pair.edges,
    layout: { source: [100, 110], sink: [300, 100] },
    notes: { hint: { text: 'Hello', at: [100, 100] } },
  });
});

test.each(['', 'hello', '5', '{}', '{"bpaz": 2}', '[]'])('the text %j is not pasted', (text) => {
  const { host, state } = readyStore();
  expect(state().paste(text, [0, 0])).toEqual([]);
  expect(host.sent).toHaveLength(1);
});

test('notes come, change and go', () => {
  expect(after((state) => state.addNote([1, 2], 'Hi')).notes).toEqual({ note: { text: 'Hi', at: [1, 2] } });
  const noted = documentOf({ notes: { note } });
  const changed = after((state) => state.setNote('note', { text: 'Bye', size: [10, 10] }), noted);
  expect(changed.notes.note).toEqual({ text: 'Bye', at: [0, 0], size: [10, 10] });
  expect(after((state) => state.removeNote('note'), noted).notes).toEqual({});
});
