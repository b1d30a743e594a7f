import { useConnection, useStore, ViewportPortal } from '@xyflow/react';
import { useServices } from '../context';
import type { CanvasNode } from '../ui';

/** Says beside the cursor why the port under it does not take the wire. */
export function ConnectionTip() {
  const { store } = useServices();
  const tip = useConnection<
    CanvasNode,
    { x: number; y: number; from: string; to: string; side: string } | null
  >((state) => {
    if (!state.inProgress || state.isValid !== false || !state.toHandle?.id || !state.fromHandle.id)
      return null;
    return {
      ...state.to,
      from: `${state.fromHandle.nodeId}.${state.fromHandle.id}`,
      to: `${state.toHandle.nodeId}.${state.toHandle.id}`,
      side: state.fromHandle.type,
    };
  });
  const zoom = useStore((state) => state.transform[2]);
  if (!tip || tip.from === tip.to) return null;
  const [from, to] = [ref(tip.from), ref(tip.to)];
  const reason =
    tip.side === 'source' ? store.getState().isLegal(from, to) : store.getState().isLegal(to, from);
  if (!reason) return null;
  return (
    <ViewportPortal>
      <div
        className="bz-tip"
        role="status"
        style={{ transform: `translate(${tip.x}px, ${tip.y}px) scale(${1 / zoom}) translate(14px, 10px)` }}
      >
        {reason}
      </div>
    </ViewportPortal>
  );
}

function ref(end: string): { node: string; port: string } {
  const dot = end.indexOf('.');
  return { node: end.slice(0, dot), port: end.slice(dot + 1) };
}
