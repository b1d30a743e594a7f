import { expect, test } from 'vitest';
import { NO_CATALOGUE } from '../../src/model/document';
import { createWorkflowStore } from '../../src/model/store';
import {
  catalogue,
  changed,
  documentOf,
  openedWith,
  pair,
  plain,
  port,
  readyStore,
  spec,
  TestHost,
} from './fake';

const path = ['nodes', 'source', 'settings', 'x'];
const problem = { code: 'setting', message: 'x is wrong', hint: 'Mend it.', path: 'nodes.source.settings.x' };

test('a view asks for everything and is opening until it has it', () => {
  const host = new TestHost();
  const store = createWorkflowStore(host);
  expect(host.sent).toEqual([{ type: 'open' }]);
  expect(store.getState().phase).toBe('opening');
  host.say(openedWith(pair, { revision: 7, problems: [problem], can_undo: true }));
  const state = store.getState();
  expect(state).toMatchObject({ phase: 'ready', revision: 7, canUndo: true, canRedo: false });
  expect(plain(state.document)).toEqual(pair);
  expect(state.specs.Source?.title).toBe('Source');
  expect(state.problemsOf.source).toEqual([problem]);
  expect(state.problemsOf.constructor).toBeUndefined();
});

test('a view without a kernel is static and sends nothing', () => {
  const host = new TestHost(true);
  const store = createWorkflowStore(host);
  host.say(openedWith(pair, { catalogue: NO_CATALOGUE }));
  expect(store.getState().phase).toBe('static');
  const { setSetting, undo, start } = store.getState();
  setSetting('source', 'x', 2);
  undo();
  start({});
  expect(host.sent).toEqual([{ type: 'open' }]);
  expect(plain(store.getState().document)).toEqual(pair);
});

test('an edit shows at once, is sent on its base revision and stays when confirmed', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 2);
  const shown = state().document;
  expect(shown.nodes.source?.settings.x).toBe(2);
  const change = host.last('change');
  expect(change).toMatchObject({ base: 0, operations: [{ path, old: 1, new: 2 }] });
  host.say(changed(change.id, 1, change.operations, { problems: [{ at: 0, remove: 0, insert: [problem] }] }));
  expect(state().document).toBe(shown);
  expect(state()).toMatchObject({ revision: 1, canUndo: true, problems: [problem] });
});

test('edits that are made together are one change', () => {
  const { host, state } = readyStore();
  const before = host.sent.length;
  const id = state().together(() => {
    state().disconnect([['source.text', 'sink.text']]);
    return state().together(() => state().addNode('TextSink', [5, 5]));
  });
  expect(host.sent).toHaveLength(before + 1);
  const { operations } = host.last('change');
  expect(operations).toMatchObject([
    { edge: ['source.text', 'sink.text'], old: 0 },
    { path: ['nodes', id] },
    { path: ['layout', id] },
  ]);
  state().together(() => undefined);
  expect(host.sent).toHaveLength(before + 1);
});

test('an edit that changes nothing is not sent', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 1);
  state().move({ source: [0.2, 10.1], nobody: [0, 0] });
  expect(host.sent).toHaveLength(1);
});

test('a foreign change goes below the pending ones', () => {
  const { host, state } = readyStore();
  state().setTitle('sink', 'Mine');
  host.say(changed('other', 1, [{ path, old: 1, new: 9 }]));
  expect(state().document.nodes.sink?.title).toBe('Mine');
  expect(state().document.nodes.source?.settings.x).toBe(9);
  const { id, operations } = host.last('change');
  host.say(changed(id, 2, operations));
  expect(state().document.nodes.sink?.title).toBe('Mine');
});

test('a pending change that does not fit any more is out of sight, and its refusal is shown', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 2);
  const { id } = host.last('change');
  host.say(changed('other', 1, [{ path, old: 1, new: 9 }]));
  expect(state().document.nodes.source?.settings.x).toBe(9);
  host.say({ type: 'refused', id, revision: 1, error: problem });
  expect(state().notice).toEqual(problem);
  state().dismiss();
  expect(state().notice).toBeNull();
});

test('a pending change that was out of sight and took place after all is shown', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 2);
  const { id, operations } = host.last('change');
  host.say(changed('other', 1, [{ path, old: 1, new: 9 }]));
  host.say(changed('other', 2, [{ path, old: 9, new: 1 }]));
  host.say(changed(id, 3, operations));
  expect(state().document.nodes.source?.settings.x).toBe(2);
});

test('a change that the host carried out otherwise is shown as the host says', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 2.5);
  host.say(changed(host.last('change').id, 1, [{ path, old: 1, new: 3 }]));
  expect(state().document.nodes.source?.settings.x).toBe(3);
});

test('a refused change is taken back, those after it stay', () => {
  const { host, state } = readyStore();
  state().setSetting('source', 'x', 2);
  const { id } = host.last('change');
  state().setTitle('sink', 'Mine');
  host.say({ type: 'refused', id, revision: 0, error: problem });
  expect(state().document.nodes.source?.settings.x).toBe(1);
  expect(state().document.nodes.sink?.title).toBe('Mine');
});

test("another view's refusal and a change that comes twice do nothing", () => {
  const { host, state } = readyStore();
  host.say({ type: 'refused', id: 'other', revision: 0, error: problem });
  expect(state().notice).toBeNull();
  host.say(changed('other', 1, [{ path, old: 1, new: 9 }]));
  const before = state();
  host.say(changed('other', 1, [{ path, old: 1, new: 9 }]));
  expect(state()).toBe(before);
});

test('a view out of step with its host begins again, and keeps what waits', () => {
  const { host, state } = readyStore();
  state().setTitle('sink', 'Mine');
  host.say(changed('other', 5, [{ path: ['nodes', 'gone', 'title'], new: 'X' }]));
  expect(host.sent.at(-1)).toEqual({ type: 'open' });
  host.say(openedWith(documentOf({ nodes: pair.nodes, name: 'New' }), { revision: 5 }));
  expect(state().document.name).toBe('New');
  expect(state().document.nodes.sink?.title).toBe('Mine');
});

test('opening again draws nothing again that is the same', () => {
  const { host, state } = readyStore();
  const { document, catalogue: before, specs } = state();
  host.say(openedWith(pair));
  expect(state().document).toBe(document);
  expect(state().catalogue).toBe(before);
  expect(state().specs).toBe(specs);
});

test('an edit that cannot be applied is not sent and says so', () => {
  const { host, state } = readyStore();
  state().edit([{ path, old: 5, new: 6 }]);
  expect(state().notice?.code).toBe('stale_change');
  state().edit(Array.from({ length: 10_001 }, () => ({ path, old: 1, new: 1 })));
  expect(state().notice?.message).toContain('10000');
  expect(host.sent).toHaveLength(1);
});

test('problems and inputs follow a change, on the same revision', () => {
  const { host, state } = readyStore();
  const { document } = state();
  const input = {
    name: 'q',
    node: 'source',
    port: 'ask',
    title: 'Q',
    tag: 'text',
    required: true,
    default: null,
  };
  host.say(
    changed('', 0, [], {
      problems: [{ at: 0, remove: 0, insert: [problem] }],
      inputs: [{ at: 0, remove: 0, insert: [input] }],
      can_undo: false,
    }),
  );
  expect(state()).toMatchObject({ problems: [problem], inputs: [input], revision: 0 });
  expect(state().document).toBe(document);
});

test('node types of a cell come and change', () => {
  const { host, state } = readyStore();
  host.say({ type: 'registered', nodes: [spec('Source', [], [], 2), spec('Fresh', [], [])], ports: {} });
  expect(state().specs.Source?.version).toBe(2);
  expect(state().catalogue.nodes.map((one) => one.type)).toEqual(['Source', 'TextSink', 'Fresh']);
});

test('own ports last until their type has ports of its own', () => {
  const { host, state } = readyStore();
  const dynamic = { ...spec('TextSink', [], [port('other', 'text')]), dynamic: true };
  const own = { inputs: [], outputs: [port('mine', 'text')] };
  const outputs = () =>
    state()
      .portsOf('sink')
      .outputs.map((one) => one.name);
  host.say({ type: 'registered', nodes: [dynamic], ports: { sink: own } });
  expect(outputs()).toEqual(['mine']);
  host.say({ type: 'registered', nodes: [dynamic], ports: {} });
  expect(outputs()).toEqual(['mine']);
  host.say({ type: 'registered', nodes: [{ ...dynamic, dynamic: false }], ports: {} });
  expect(outputs()).toEqual(['other']);
});

test('requests reach the host', () => {
  const { host, state } = readyStore();
  state().undo();
  state().redo();
  state().start({ question: 'Why?' });
  state().start({}, { target: 'sink' });
  state().start({}, { since: 'sink', cache: false });
  state().answer('each[3]/ask', { approve: true });
  state().pin('sink', true);
  state().extract(['source', 'sink']);
  state().dissolve('sink');
  state().stop();
  state().show('source', 'text');
  expect(host.sent.slice(1)).toEqual([
    { type: 'undo' },
    { type: 'redo' },
    { type: 'start', inputs: { question: 'Why?' }, target: null, only: null, since: null, cache: true },
    { type: 'start', inputs: {}, target: 'sink', only: null, since: null, cache: true },
    { type: 'start', inputs: {}, target: null, only: null, since: 'sink', cache: false },
    { type: 'answer', address: 'each[3]/ask', answer: { approve: true } },
    { type: 'pin', node: 'sink', on: true },
    { type: 'extract', within: [], nodes: ['source', 'sink'] },
    { type: 'dissolve', within: [], node: 'sink' },
    { type: 'stop' },
    { type: 'show', node: 'source', port: 'text' },
  ]);
  host.say({ type: 'shown', node: 'source', port: 'text' });
  expect(state().shown).toEqual({ node: 'source', port: 'text' });
});

test('a failure is told; nobody answering makes the view static until somebody does', () => {
  const { host, state } = readyStore();
  host.say({ type: 'failed', error: problem });
  expect(state()).toMatchObject({ phase: 'ready', notice: problem });
  host.say({ type: 'failed', error: { code: 'disconnected', message: 'Gone', hint: '', path: '' } });
  expect(state().phase).toBe('static');
  host.say(openedWith(pair));
  expect(state()).toMatchObject({ phase: 'ready', notice: null });
});

test('the events of a run arrive in the view, and a value of the run before is shown no more', () => {
  const { host, state } = readyStore();
  host.say({ type: 'shown', node: 'source', port: 'text' });
  host.say({
    type: 'events',
    run: 'r',
    events: [{ type: 'run.started', seq: 0, time: 0, run: 'r', workflow: 'w', nodes: ['source'] }],
  });
  expect(state().run?.nodes.source?.status).toBe('waiting');
  expect(state().shown).toBeNull();
  host.say(openedWith(pair, { run: { id: 'r', status: 'completed', events: [] } }));
  expect(state().run?.status).toBe('completed');
});

test('conversions come from the table', () => {
  const { state } = readyStore();
  expect(state().conversion('documents', 'text')).toBe('documents_to_text');
  expect(state().conversion('text', 'model')).toBeNull();
  expect(state().conversion('toString', 'name')).toBeNull();
  expect(catalogue.connections.toString).toBeTypeOf('function');
});
