import { expect, test } from 'vitest';
import { type CanvasEdge, flowEdges, flowNodes } from '../../../src/canvas/flow/sync';
import { createWorkflowStore } from '../../../src/model/store';
import { changed, openedWith, TestHost } from '../../model/fake';
import { catalogue, chain } from '../harness';

function open(document = chain) {
  const host = new TestHost();
  const store = createWorkflowStore(host);
  host.say(openedWith(document, { catalogue }));
  return { host, state: () => store.getState() };
}

test('nothing changed, nothing is drawn again', () => {
  const { state } = open();
  const nodes = flowNodes([], state());
  expect(nodes.map(({ id }) => id)).toEqual(['read', 'cut', 'talk']);
  expect(flowNodes(nodes, state())).toBe(nodes);
});

test('only the moved node is another one', () => {
  const { host, state } = open();
  const before = flowNodes([], state());
  host.say(changed('', 1, [{ path: ['layout', 'cut'], old: [300, 0], new: [310, 5] }]));
  const after = flowNodes(before, state());
  expect(after.map((node, index) => node === before[index])).toEqual([true, false, true]);
  expect(after[1]?.position).toEqual({ x: 310, y: 5 });
});

test('a node that is being dragged keeps its place under the hand', () => {
  const { host, state } = open();
  const dragged = flowNodes([], state()).map((node) =>
    node.id === 'cut' ? { ...node, dragging: true, position: { x: 1, y: 2 } } : node,
  );
  host.say(changed('', 1, [{ path: ['layout', 'cut'], old: [300, 0], new: [9, 9] }]));
  expect(flowNodes(dragged, state())[1]?.position).toEqual({ x: 1, y: 2 });
});

test('other ports bring other handles', () => {
  const { host, state } = open();
  const before = flowNodes([], state());
  const ports = { inputs: [], outputs: [{ ...catalogue.nodes[1]?.ports.outputs[0], name: 'chunks' }] };
  host.say(changed('', 1, [], { ports: { cut: ports } }));
  const cut = flowNodes(before, state())[1];
  expect(cut?.handles?.map(({ id }) => id)).toContain('chunks');
});

test('edges are coloured by what leaves their source, and keep their identity', () => {
  const { state } = open();
  const nodes = flowNodes([], state());
  const draw = (previous: CanvasEdge[], selected = new Set<string>()) =>
    flowEdges(previous, state().document.edges, nodes, selected, catalogue);
  const edges = draw([]);
  expect(edges.map(({ className }) => className)).toEqual(['bz-color-blue', 'bz-color-blue']);
  expect(draw(edges)[0]).toBe(edges[0]);
  const [first, second] = draw(edges, new Set(['read.documents->cut.documents']));
  expect([first?.selected, second === edges[1]]).toEqual([true, true]);
});

test('an edge to a node that is not there is not drawn', () => {
  const { state } = open({ ...chain, edges: [['gone.out', 'cut.documents']] });
  expect(flowEdges([], state().document.edges, flowNodes([], state()), new Set(), catalogue)).toEqual([]);
});
