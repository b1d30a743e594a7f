import { BaseEdge, type EdgeProps, getBezierPath } from '@xyflow/react';
import { memo } from 'react';
import { useWorkflow } from '../context';
import type { CanvasEdge } from './sync';

/** A wire; it flows while the node that it feeds runs. */
export const WorkflowEdge = memo(function WorkflowEdge(props: EdgeProps<CanvasEdge>) {
  const status = useWorkflow((state) => state.run?.nodes[props.target]?.status);
  const [path] = getBezierPath(props);
  const state = status === 'running' ? 'is-running' : status === 'skipped' ? 'is-skipped' : '';
  return <BaseEdge id={props.id} path={path} className={`bz-edge ${state}`} interactionWidth={18} />;
});
