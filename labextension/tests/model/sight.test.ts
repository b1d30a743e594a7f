import { describe, expect, test } from 'vitest';
import { EMPTY_BODY, placeOfAddress, walk } from '../../src/model/sight';
import type { Body, Document, Operation } from '../../src/model/types';
import { changed, documentOf, openedWith, plain, port, readyStore } from './fake';

const leaf = { type: 'TextSink', version: 3, settings: {} };
const body = (nodes: Body['nodes']): Body => ({ nodes, edges: [], layout: {}, notes: {}, groups: {} });
const box = (inner: Body) => ({ type: 'Box', version: 1, settings: {}, body: inner });
const nested: Document = documentOf({
  nodes: {
    clean: leaf,
    each: box(body({ clean: leaf, part: box(body({ clean: leaf })) })),
  },
});

test('an address without its rounds is a place', () => {
  expect(placeOfAddress('each[3]/part/loop[0]/clean')).toBe('each/part/loop/clean');
  expect(placeOfAddress('clean')).toBe('clean');
});

test('all nodes have their places', () => {
  const places = [...walk(nested)].map(([place]) => place);
  expect(places).toEqual(['clean', 'each', 'each/clean', 'each/part', 'each/part/clean']);
});

describe('inside a container', () => {
  test('edits say where they take place, at any depth', () => {
    const { host, state } = readyStore(nested);
    state().go(['each', 'part']);
    expect(Object.keys(state().document.nodes)).toEqual(['clean']);
    state().setTitle('clean', 'Wash');
    const [operation] = host.last('change').operations;
    expect(operation).toEqual({
      path: ['nodes', 'clean', 'title'],
      new: 'Wash',
      within: ['each', 'part'],
    });
    expect(state().document.nodes.clean?.title).toBe('Wash');
    expect(state().whole.nodes.clean?.title).toBeUndefined();
    expect(state().whole.nodes.each?.body?.nodes.part?.body?.nodes.clean?.title).toBe('Wash');
  });

  test('together is one change there too', () => {
    const { host, state } = readyStore(nested);
    state().go(['each']);
    state().together(() => {
      const id = state().addNode('TextSink', [0, 0]);
      state().connect({ node: 'clean', port: 'out' }, { node: id, port: 'text' });
    });
    const { operations } = host.last('change');
    expect(operations.map(({ within }: Operation) => within)).toEqual([['each'], ['each'], ['each']]);
    expect(state().document.edges).toEqual([['clean.out', 'text_sink.text']]);
  });

  test('what did not change is drawn from the same objects', () => {
    const { host, state } = readyStore(nested);
    state().go(['each']);
    const { document } = state();
    host.say(changed('', 1, [{ path: ['nodes', 'clean', 'title'], new: 'Outside' }]));
    expect(state().document).toBe(document);
    host.say(changed('', 2, [{ within: ['each'], path: ['layout', 'clean'], new: [1, 2] }]));
    expect(state().document.layout.clean).toEqual([1, 2]);
    expect(state().document.nodes.part).toBe(document.nodes.part);
  });

  test('ports are those of the place', () => {
    const { host, state } = readyStore(nested);
    const ports = { inputs: [port('only_inside', 'text')], outputs: [] };
    host.say(changed('', 0, [], { ports: { 'each/clean': ports } }));
    expect(
      state()
        .portsOf('clean')
        .inputs.map(({ name }) => name),
    ).toEqual(['text', 'all']);
    state().go(['each']);
    expect(
      state()
        .portsOf('clean')
        .inputs.map(({ name }) => name),
    ).toEqual(['only_inside']);
    const spec = { ...state().specs.TextSink, dynamic: false } as never;
    host.say({ type: 'registered', nodes: [spec], ports: {} });
    expect(
      state()
        .portsOf('clean')
        .inputs.map(({ name }) => name),
    ).toEqual(['text', 'all']);
  });

  test('problems are located in what is in sight, and on the containers around it', () => {
    const { host, state } = readyStore(nested);
    const problem = (path: string) => ({ code: 'setting', message: 'wrong', hint: '', path });
    const inner = problem('nodes.each.body.nodes.part.body.nodes.clean.settings.x');
    host.say(openedWith(nested, { problems: [inner, problem('nodes.clean.type')] }));
    expect(Object.keys(state().problemsOf)).toEqual(['each', 'clean']);
    state().go(['each']);
    expect(Object.keys(state().problemsOf)).toEqual(['part']);
    state().go(['each', 'part']);
    expect(state().problemsOf.clean?.[0]?.path).toBe('nodes.clean.settings.x');
    expect(state().problems).toHaveLength(2);
  });

  test('when the container goes, one stands where it was', () => {
    const { host, state } = readyStore(nested);
    state().go(['each', 'part']);
    const part = nested.nodes.each?.body?.nodes.part;
    host.say(changed('', 1, [{ within: ['each'], path: ['nodes', 'part'], old: part }]));
    expect(state().within).toEqual(['each']);
    state().go(['each', 'nobody', 'there']);
    expect(state().within).toEqual(['each']);
    state().go([]);
    expect(plain(state().document)).toEqual(plain(state().whole));
  });

  test('requests name the place', () => {
    const { host, state } = readyStore(nested);
    state().go(['each']);
    state().show('clean', 'out');
    expect(host.last('show')).toMatchObject({ node: 'each/clean', port: 'out' });
    state().extract(['clean']);
    expect(host.last('extract')).toMatchObject({ within: ['each'], nodes: ['clean'] });
  });

  test('a new container has a body to go into, and copies take theirs along', () => {
    const { host, state } = readyStore(nested);
    const spec = { ...state().specs.TextSink, type: 'Box', container: true } as never;
    host.say({ type: 'registered', nodes: [spec], ports: {} });
    const id = state().addNode('Box', [0, 0]);
    state().go([id]);
    expect(state().document.nodes).toEqual({});
    state().go([]);
    const starter = { ...EMPTY_BODY, nodes: { start: { type: 'TextSink', version: 1, settings: {} } } };
    host.say({ type: 'registered', nodes: [{ ...(spec as object), starter } as never], ports: {} });
    state().go([state().addNode('Box', [0, 0])]);
    expect(Object.keys(state().document.nodes)).toEqual(['start']);
    state().go([]);
    const [copy] = state().paste(state().copy(['each']), [0, 0]);
    expect(Object.keys(state().document.nodes[copy as string]?.body?.nodes ?? {})).toEqual(['clean', 'part']);
  });
});

test('how a node runs is set as a whole and goes when nothing is left of it', () => {
  const { host, state } = readyStore(nested);
  const last = () => host.last('change').operations[0];
  state().setPolicy('clean', 'retries', 3);
  expect(last()).toEqual({ path: ['nodes', 'clean', 'policy'], new: { retries: 3 } });
  state().setPolicy('clean', 'on_error', 'port');
  expect(last()).toMatchObject({ old: { retries: 3 }, new: { retries: 3, on_error: 'port' } });
  state().setPolicy('clean', 'retries', undefined);
  state().setPolicy('clean', 'on_error', undefined);
  expect(last()).toEqual({ path: ['nodes', 'clean', 'policy'], old: { on_error: 'port' } });
});

test('stale and pinned nodes come with the problems', () => {
  const { host, state } = readyStore(nested);
  host.say(changed('', 0, [], { stale: { clean: 'its setting x changed' }, pinned: ['clean'] }));
  expect(plain(state().stale)).toEqual({ clean: 'its setting x changed' });
  host.say(changed('', 0, []));
  expect(state().pinned).toEqual(['clean']);
});
