import { Background, Controls, ReactFlow } from '@xyflow/react';
import { describeSize } from '../model/counts';

/** The workflow as a picture one can edit. */
export function Canvas() {
  return (
    <section className="bpaz-Canvas" aria-label={`Workflow, ${describeSize(0)}`}>
      <ReactFlow nodes={[]} edges={[]} fitView>
        <Background />
        <Controls />
      </ReactFlow>
    </section>
  );
}
