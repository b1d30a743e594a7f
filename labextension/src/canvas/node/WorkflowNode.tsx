import { type NodeProps, useStore as useFlow } from '@xyflow/react';
import { memo } from 'react';
import { useWorkflow } from '../context';
import { isContainer } from '../flow/sync';
import { estimatedSize, WIDTH } from '../geometry';
import type { WorkflowFlowNode } from '../ui';
import { BodyPart } from './BodyPart';
import { Header } from './Header';
import { PortRows } from './PortRows';
import { ProblemStrip } from './ProblemStrip';
import { RunPart } from './RunPart';
import { SettingPart } from './SettingPart';
import { useStale } from './stale';
import { TitleBox } from './TitleBox';

/** Below this zoom a node is only a box with its title. */
const FAR = 0.45;
/** Below this one nobody can read the title. */
const TINY = 0.12;

/** A node of the workflow; everything it shows is read by its id. */
export const WorkflowNode = memo(function WorkflowNode({
  id,
  data,
  selected,
  height,
}: NodeProps<WorkflowFlowNode>) {
  const far = useFlow(({ transform: [, , zoom] }) => zoom < FAR && (zoom < TINY ? 'tiny' : 'far'));
  const entry = useWorkflow((state) => state.document.nodes[id]);
  const spec = useWorkflow((state) => state.specs[entry?.type ?? '']);
  const status = useWorkflow((state) => state.run?.nodes[id]?.status);
  const stale = useStale(id) !== undefined;
  const container = useWorkflow((state) => isContainer(state, id));
  const loaded = useWorkflow((state) => state.catalogue.nodes.length > 0);
  const troubled = useWorkflow((state) => (state.problemsOf[id]?.length ?? 0) > 0);
  if (!entry) return null;

  const className = [
    'bz-node',
    selected && 'is-selected',
    status && `is-${status}`,
    stale && 'is-stale',
    container && 'is-container',
    troubled && 'has-problem',
    !spec && loaded && 'is-unknown',
    entry.policy?.disabled && 'is-disabled',
  ]
    .filter(Boolean)
    .join(' ');
  if (far) {
    const box = { width: WIDTH, height: height ?? estimatedSize(data.ports).height };
    const title = far === 'tiny' ? '' : entry.title || spec?.title || entry.type;
    return <TitleBox id={id} className={className} box={box} title={title} ports={data.ports} />;
  }
  return (
    <div className={className} style={{ width: WIDTH }}>
      <Header id={id} entry={entry} spec={spec} />
      <PortRows id={id} ports={data.ports} />
      <BodyPart id={id} entry={entry} />
      <SettingPart id={id} entry={entry} spec={spec} />
      <ProblemStrip id={id} />
      <RunPart id={id} ports={data.ports} />
    </div>
  );
});
