import type { WorkflowState } from '../../model/state';
import type { NodeSpec, PortSpec, Ports } from '../../model/types';
import type { Loose } from '../ui';

/** The ports of a node that a loose wire may end in, best first: no conversion before one, main before others. */
export function fitting(state: WorkflowState, from: Loose, ports: Ports): PortSpec[] {
  const tag = looseTag(state, from);
  const candidates =
    from.side === 'source' ? ports.inputs.filter(({ source }) => source === 'wire') : ports.outputs;
  const ranked = candidates.flatMap((port) => {
    const how = from.side === 'source' ? state.conversion(tag, port.tag) : state.conversion(port.tag, tag);
    if (how === null) return [];
    return [
      { port, rank: (port.tag === tag ? 0 : how === '' ? 2 : 4) + (port.main || port.required ? 0 : 1) },
    ];
  });
  return ranked.sort((one, other) => one.rank - other.rank).map(({ port }) => port);
}

/** The node types that a loose wire may lead to. */
export function fittingTypes(state: WorkflowState, from: Loose): NodeSpec[] {
  return state.catalogue.nodes.filter((spec) => fitting(state, from, spec.ports).length > 0);
}

function looseTag(state: WorkflowState, { node, port, side }: Loose): string {
  const { inputs, outputs } = state.portsOf(node);
  return (side === 'source' ? outputs : inputs).find(({ name }) => name === port)?.tag ?? 'any';
}
