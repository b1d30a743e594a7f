import { memo } from 'react';
import { split } from '../model/document';
import type { WorkflowState } from '../model/state';
import { useActions } from './actions';
import { useWorkflow } from './context';

/** The workflow as a list for screen readers: every node, what feeds it and how its run went. */
export function ListView() {
  const nodes = useWorkflow((state) => state.document.nodes);
  const ids = Object.keys(nodes);
  return (
    <div className="bz-hidden">
      <h2>Nodes of the workflow ({ids.length})</h2>
      <ol>
        {ids.map((id) => (
          <Item key={id} id={id} />
        ))}
      </ol>
    </div>
  );
}

const Item = memo(function Item({ id }: { id: string }) {
  const actions = useActions();
  const text = useWorkflow((state) => sentence(state, id));
  return (
    <li>
      <button type="button" tabIndex={-1} onClick={() => actions.reveal(id)}>
        {text}
      </button>
    </li>
  );
});

/** `Splitter (split): documents from load.documents. Done. 1 problem.` */
export function sentence(state: WorkflowState, id: string): string {
  const entry = state.document.nodes[id];
  if (!entry) return id;
  const title = entry.title || state.specs[entry.type]?.title || entry.type;
  const feeds = state.document.edges
    .filter(([, target]) => split(target)[0] === id)
    .map(([source, target]) => `${split(target)[1]} from ${source}`);
  const status = state.run?.nodes[id]?.status;
  const problems = state.problemsOf[id] ?? [];
  return [
    `${title} (${id})${feeds.length ? `: ${feeds.join(', ')}` : ''}.`,
    status && `Run: ${status}.`,
    ...problems.map(({ message }) => `Problem: ${message}.`),
  ]
    .filter(Boolean)
    .join(' ');
}
