import type { Connection, FinalConnectionState, OnConnectStart, OnReconnect } from '@xyflow/react';
import { useReactFlow } from '@xyflow/react';
import { useCallback, useMemo } from 'react';
import type { WorkflowState } from '../../model/state';
import type { PortRef } from '../../model/types';
import { useActions } from '../actions';
import { useServices } from '../context';
import type { Loose } from '../ui';
import type { CanvasEdge } from './sync';

/** Drawing connections: from a port to a port, to a node's body, or into the void for a new node. */
export function useConnecting() {
  const { store, ui } = useServices();
  const actions = useActions();
  const flow = useReactFlow();

  const onConnectStart = useCallback<OnConnectStart>(
    (_, { nodeId, handleId, handleType }) => {
      if (!nodeId || !handleId || !handleType) return;
      ui.setState({ connecting: { node: nodeId, port: handleId, side: handleType } });
    },
    [ui],
  );

  const isValidConnection = useCallback(
    (connection: Connection | CanvasEdge) => {
      const [source, target] = ends(connection);
      return source !== null && target !== null && store.getState().isLegal(source, target) === null;
    },
    [store],
  );

  const onConnect = useCallback(
    (connection: Connection) => {
      const [source, target] = ends(connection);
      if (source && target) store.getState().connect(source, target);
    },
    [store],
  );

  const dropOnNode = useCallback(
    (from: Loose, node: string, state: WorkflowState) => {
      const { legal, reasons } = legalPorts(state, from, node);
      const [port] = legal;
      if (port && legal.length === 1) actions.connect(from, { node, port });
      else if (port) ui.setState({ hint: `Several ports fit (${legal.join(', ')}): drop on one.` });
      else ui.setState({ hint: reasons[0] ?? 'No port of this node fits.' });
    },
    [ui, actions],
  );

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, connection: FinalConnectionState) => {
      const from = ui.getState().connecting;
      ui.setState({ connecting: null });
      if (!from || connection.isValid || store.getState().phase !== 'ready') return;
      const point = 'changedTouches' in event ? event.changedTouches[0] : event;
      if (!point) return;
      const { clientX, clientY } = point;
      const under = document.elementFromPoint(clientX, clientY);
      const node = under?.closest<HTMLElement>('.react-flow__node-workflow')?.dataset.id;
      if (node) return dropOnNode(from, node, store.getState());
      if (!under?.classList.contains('react-flow__pane')) return;
      const { x, y } = flow.screenToFlowPosition({ x: clientX, y: clientY });
      ui.setState({
        quickAdd: { screen: [clientX, clientY], at: [Math.round(x), Math.round(y) - 56], from },
      });
    },
    [ui, store, flow, dropOnNode],
  );

  const onReconnect = useCallback<OnReconnect<CanvasEdge>>(
    (old, connection) => {
      const [source, target] = ends(connection);
      if (!old.data || !source || !target) return;
      const { edge } = old.data;
      store.getState().together(() => {
        store.getState().disconnect([edge]);
        store.getState().connect(source, target);
      });
    },
    [store],
  );

  return useMemo(
    () => ({ onConnectStart, onConnect, onConnectEnd, onReconnect, isValidConnection }),
    [onConnectStart, onConnect, onConnectEnd, onReconnect, isValidConnection],
  );
}

/** The ports of a node in which a loose wire may end, and why the others refuse it. */
export function legalPorts(
  state: WorkflowState,
  from: Loose,
  node: string,
): { legal: string[]; reasons: string[] } {
  const { inputs, outputs } = state.portsOf(node);
  const legal: string[] = [];
  const reasons: string[] = [];
  for (const port of from.side === 'source' ? inputs : outputs) {
    if (port.source === 'run') continue;
    const here = { node, port: port.name };
    const loose = { node: from.node, port: from.port };
    const reason = from.side === 'source' ? state.isLegal(loose, here) : state.isLegal(here, loose);
    if (reason === null) legal.push(port.name);
    else reasons.push(reason);
  }
  return { legal, reasons };
}

function ends(connection: Connection | CanvasEdge): [PortRef | null, PortRef | null] {
  const { source, sourceHandle, target, targetHandle } = connection;
  return [
    sourceHandle ? { node: source, port: sourceHandle } : null,
    targetHandle ? { node: target, port: targetHandle } : null,
  ];
}
