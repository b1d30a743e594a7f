import type { WorkflowState } from '../../model/state';
import type { NodeSpec, PortSpec, Ports } from '../../model/types';
import type { Loose } from '../ui';

/** The ports of a node that a loose wire may end in, best first: no conversion before one, main before others. */
export function fitting(state: WorkflowState, from: Loose, ports: Ports): PortSpec[] {
  return ranked(state, from, ports).map(({ port }) => port);
}

interface Ranked {
  port: PortSpec;
  /** The lower the better. */
  rank: number;
}

function ranked(state: WorkflowState, from: Loose, ports: Ports): Ranked[] {
  const tag = looseTag(state, from);
  const candidates =
    from.side === 'source' ? ports.inputs.filter(({ source }) => source === 'wire') : ports.outputs;
  const fit = candidates.flatMap((port) => {
    const how = from.side === 'source' ? state.conversion(tag, port.tag) : state.conversion(port.tag, tag);
    if (how === null) return [];
    return [
      { port, rank: (port.tag === tag ? 0 : how === '' ? 2 : 4) + (port.main || port.required ? 0 : 1) },
    ];
  });
  return fit.sort((one, other) => one.rank - other.rank);
}

/** The node types that a loose wire may lead to, those first that take it as it is. */
export function fittingTypes(state: WorkflowState, from: Loose): NodeSpec[] {
  return state.catalogue.nodes
    .flatMap((spec) =>
      ranked(state, from, spec.ports)
        .slice(0, 1)
        .map(({ rank }) => ({ spec, rank })),
    )
    .sort((one, other) => one.rank - other.rank)
    .map(({ spec }) => spec);
}

function looseTag(state: WorkflowState, { node, port, side }: Loose): string {
  const { inputs, outputs } = state.portsOf(node);
  return (side === 'source' ? outputs : inputs).find(({ name }) => name === port)?.tag ?? 'any';
}
