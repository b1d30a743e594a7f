import { Handle, Position, useUpdateNodeInternals } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import type { WorkflowState } from '../../model/state';
import type { PortSpec, Ports } from '../../model/types';
import { useServices, useUi, useWorkflow } from '../context';
import { portLabel, tagClass, tagLook } from '../tags';
import { connectedPorts } from './connected';

/** The ports in rows: inputs on the left, outputs on the right, the handle in the colour of its tag. */
export function PortRows({ id, ports }: { id: string; ports: Ports }) {
  const update = useUpdateNodeInternals();
  const drawn = useRef(ports);
  useEffect(() => {
    if (drawn.current !== ports) update(id);
    drawn.current = ports;
  }, [id, ports, update]);

  const rows = Math.max(ports.inputs.length, ports.outputs.length);
  if (rows === 0) return null;
  return (
    <div className="bz-ports">
      {Array.from({ length: rows }, (_, row) => {
        const [input, output] = [ports.inputs[row], ports.outputs[row]];
        return (
          <div className="bz-port-row" key={`${input?.name}.${output?.name}`}>
            {input ? <Port node={id} port={input} side="target" /> : <span />}
            {output && <Port node={id} port={output} side="source" />}
          </div>
        );
      })}
    </div>
  );
}

interface PortProps {
  node: string;
  port: PortSpec;
  side: 'source' | 'target';
}

function Port({ node, port, side }: PortProps) {
  const color = useWorkflow((state) => tagClass(state.catalogue, port.tag));
  const title = useWorkflow((state) => describe(state, port));
  const connected = useWorkflow((state) => connectedPorts(state.document.edges, node, side).has(port.name));
  const light = useLight(node, port, side);
  const wanting = side === 'target' && port.required && !connected && port.source === 'wire';
  const className = [
    'bz-port',
    `bz-port-${side}`,
    color,
    light,
    connected && 'is-connected',
    wanting && 'is-wanting',
  ];
  return (
    <div className={className.filter(Boolean).join(' ')} title={title}>
      {port.source === 'wire' && (
        <Handle
          id={port.name}
          type={side}
          position={side === 'target' ? Position.Left : Position.Right}
          className="bz-handle"
        />
      )}
      <span className="bz-port-label">{portLabel(port)}</span>
      {wanting && (
        <span className="bz-port-star" role="img" aria-label="required">
          *
        </span>
      )}
      {port.source === 'run' && <span className="bz-badge">run</span>}
    </div>
  );
}

/** While a connection is drawn: whether this port may be its end. */
function useLight(node: string, port: PortSpec, side: 'source' | 'target'): string {
  const { store } = useServices();
  const loose = useUi((state) => state.connecting);
  if (!loose) return '';
  if (loose.node === node && loose.port === port.name && loose.side === side) return 'is-origin';
  if (loose.side === side || port.source === 'run') return 'is-illegal';
  const [from, here] = [
    { node: loose.node, port: loose.port },
    { node, port: port.name },
  ];
  const reason =
    side === 'target' ? store.getState().isLegal(from, here) : store.getState().isLegal(here, from);
  return reason === null ? 'is-legal' : 'is-illegal';
}

function describe({ catalogue }: WorkflowState, port: PortSpec): string {
  const facts = [port.required && 'required', port.many && 'takes several'].filter(Boolean).join(', ');
  const head = `${port.name}: ${tagLook(catalogue, port.tag).title}${facts ? ` (${facts})` : ''}`;
  return port.help ? `${head}\n${port.help}` : head;
}
