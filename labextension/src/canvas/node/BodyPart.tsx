import { inside } from '../../model/run';
import { placeOf } from '../../model/sight';
import type { NodeRun } from '../../model/state';
import type { NodeEntry } from '../../model/types';
import { useActions } from '../actions';
import { useWorkflow } from '../context';
import { isContainer } from '../flow/sync';
import { count } from '../format';
import { Icon } from '../icons';
import { MiniBody } from './MiniBody';

const WORDS: [NodeRun['status'], string][] = [
  ['asked', 'asking'],
  ['failed', 'failed'],
  ['running', 'running'],
  ['done', 'done'],
];

/** What is inside a container: a small map, how many nodes, how they fare, and the way in. */
export function BodyPart(props: { id: string; entry: NodeEntry }) {
  const container = useWorkflow((state) => isContainer(state, props.id));
  return container ? <Inside {...props} /> : null;
}

function Inside({ id, entry }: { id: string; entry: NodeEntry }) {
  const actions = useActions();
  const fare = useWorkflow(({ run, within }) => (run ? told(inside(run, placeOf(within, id))) : ''));
  const nodes = Object.keys(entry.body?.nodes ?? {}).length;
  return (
    <button
      type="button"
      className="bz-body nodrag nopan"
      title="Open (Enter, or a double click)"
      aria-label={`Open ${id}`}
      onClick={(event) => {
        event.stopPropagation();
        actions.open(id);
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      {entry.body && nodes > 0 ? (
        <MiniBody body={entry.body} />
      ) : (
        <span className="bz-body-empty">Empty</span>
      )}
      <span className="bz-body-foot">
        <span>{fare || `${count(nodes, 'node')} inside`}</span>
        <span className="bz-body-open">
          Open <Icon name="enter" size={12} />
        </span>
      </span>
    </button>
  );
}

function told(counts: ReturnType<typeof inside>): string {
  return WORDS.flatMap(([status, word]) => (counts[status] ? `${counts[status]} ${word}` : [])).join(' · ');
}
