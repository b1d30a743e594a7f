/** What connects to what: the rules of `bpaz_lab.graph`, on the table that it serves. */
import { dict, entry } from './dict';
import { split } from './document';
import { edgeOf } from './operations';
import type { CatalogueSpec, Document, Edge, PortRef, Ports } from './types';

/** Ports that a node declares; undefined where nobody knows them. */
export type Declared = (id: string) => Ports | undefined;

/** The conversion between two tags: `""` when the value passes as it is, null when they do not fit. */
export function conversion(catalogue: CatalogueSpec, source: string, target: string): string | null {
  if (source === target) return '';
  return entry(entry(catalogue.connections, source) ?? dict<string>(), target) ?? null;
}

/** Null when the edge may be made, else the reason why not. */
export function refusal(
  document: Document,
  catalogue: CatalogueSpec,
  declared: Declared,
  source: PortRef,
  target: PortRef,
): string | null {
  const output = declared(source.node)?.outputs.find((port) => port.name === source.port);
  const input = declared(target.node)?.inputs.find((port) => port.name === target.port);
  if (!output) return `${source.node} has no output ${source.port}`;
  if (!input) return `${target.node} has no input ${target.port}`;
  if (input.source === 'run') return `${input.title || input.name} is an input of the run, not of a wire`;
  if (source.node === target.node) return 'A node cannot feed itself';
  const [from, to] = edgeOf(source, target);
  if (document.edges.some((edge) => edge[0] === from && edge[1] === to))
    return 'These two are connected already';
  if (!input.many && document.edges.some((edge) => edge[1] === to)) {
    return `${input.title || input.name} takes one wire, and has it`;
  }
  if (conversion(catalogue, output.tag, input.tag) === null) {
    return `${tagTitle(catalogue, output.tag)} does not fit ${tagTitle(catalogue, input.tag)}`;
  }
  if (upstream(document.edges, source.node).has(target.node)) return 'This would close a circle';
  return null;
}

/** A tag as people read it: `list[text]` is a list of Text. */
export function tagTitle(catalogue: CatalogueSpec, tag: string): string {
  const item = /^list\[(.*)\]$/.exec(tag)?.[1];
  return item === undefined
    ? (entry(catalogue.tags, tag)?.title ?? tag)
    : `List of ${tagTitle(catalogue, item)}`;
}

let lastUpstream: { edges: Edge[]; node: string; nodes: Set<string> } | null = null;

/** The node and all that feed it, remembered since a drag asks once for every port in sight. */
function upstream(edges: Edge[], node: string): Set<string> {
  if (lastUpstream?.edges === edges && lastUpstream.node === node) return lastUpstream.nodes;
  const feeding = new Map<string, string[]>();
  for (const [source, target] of edges) {
    const [from] = split(source);
    const [to] = split(target);
    feeding.set(to, [...(feeding.get(to) ?? []), from]);
  }
  const nodes = new Set([node]);
  for (const one of nodes) for (const feeder of feeding.get(one) ?? []) nodes.add(feeder);
  lastUpstream = { edges, node, nodes };
  return nodes;
}
