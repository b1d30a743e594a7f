import { BaseEdge, type EdgeProps, useInternalNode } from '@xyflow/react';
import { memo } from 'react';
import { useWorkflow } from '../context';
import type { CanvasEdge } from './sync';
import { curve, lane, leadsBack } from './wires';

/** A wire; it flows while the node that it feeds runs. */
export const WorkflowEdge = memo(function WorkflowEdge(props: EdgeProps<CanvasEdge>) {
  return leadsBack(props) ? <BackWire {...props} /> : <Wire {...props} path={curve(props)} />;
});

function BackWire(props: EdgeProps<CanvasEdge>) {
  const top = useInternalNode(props.target)?.internals.positionAbsolute.y ?? props.targetY;
  return <Wire {...props} path={lane(props, top)} />;
}

function Wire({ id, target, path }: { id: string; target: string; path: string }) {
  const status = useWorkflow((state) => state.run?.nodes[target]?.status);
  const state = status === 'running' ? 'is-running' : status === 'skipped' ? 'is-skipped' : '';
  return <BaseEdge id={id} path={path} className={`bz-edge ${state}`} interactionWidth={18} />;
}
