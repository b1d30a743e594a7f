/**
 * The ports a canvas draws: those a node declares, then those that only an edge knows of, so that no
 * edge hangs in the air when a type is unknown or a port has gone.
 */
import { split } from './document';
import type { Edge, PortSpec, Ports } from './types';

const NO_PORTS: Ports = { inputs: [], outputs: [] };

/** A function that gives a node's ports, and the same object as long as nothing changed. */
export function portReader(): (id: string, declared: Ports | undefined, edges: Edge[]) => Ports {
  let last: Edge[] | null = null;
  let used = new Map<string, Ports>();
  const joined = new Map<string, { declared: Ports; ports: Ports }>();
  return (id, declared = NO_PORTS, edges) => {
    if (edges !== last) {
      used = usedPorts(edges);
      joined.clear();
      last = edges;
    }
    const known = joined.get(id);
    if (known?.declared === declared) return known.ports;
    const ports = join(declared, used.get(id) ?? NO_PORTS);
    joined.set(id, { declared, ports });
    return ports;
  };
}

function join(declared: Ports, used: Ports): Ports {
  const inputs = missing(declared.inputs, used.inputs);
  const outputs = missing(declared.outputs, used.outputs);
  if (inputs.length + outputs.length === 0) return declared;
  return { inputs: [...declared.inputs, ...inputs], outputs: [...declared.outputs, ...outputs] };
}

function missing(declared: PortSpec[], used: PortSpec[]): PortSpec[] {
  return used.filter((port) => !declared.some((other) => other.name === port.name));
}

/** The ports that edges know of, by node. */
function usedPorts(edges: Edge[]): Map<string, Ports> {
  const used = new Map<string, Ports>();
  const add = (end: string, side: 'inputs' | 'outputs') => {
    const [node, name] = split(end);
    const ports = used.get(node) ?? { inputs: [], outputs: [] };
    used.set(node, ports);
    const twin = ports[side].find((port) => port.name === name);
    if (!twin) ports[side].push(unknownPort(name));
    else if (side === 'inputs') twin.many = true;
  };
  for (const [source, target] of edges) {
    add(source, 'outputs');
    add(target, 'inputs');
  }
  return used;
}

function unknownPort(name: string): PortSpec {
  const none = { title: '', help: '', needs: [] };
  return { ...none, name, tag: 'any', required: false, many: false, source: 'wire', main: false };
}
