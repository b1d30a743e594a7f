import type { NodeRun } from '../../model/state';
import { useWorkflow } from '../context';
import { formatDuration } from '../format';
import { Icon } from '../icons';
import { useElapsed } from '../useElapsed';

const MARKS = { waiting: 'wait', done: 'check', failed: 'close', skipped: 'skip' } as const;
const WORDS = { waiting: 'Waiting', running: 'Running', done: 'Done', failed: 'Failed', skipped: 'Skipped' };

/** What the last run did with a node: an icon and a duration. */
export function StatusMark({ id }: { id: string }) {
  const run = useWorkflow((state) => state.run?.nodes[id]);
  const elapsed = useElapsed(run?.status === 'running' ? run.startedAt : undefined);
  if (!run) return null;
  const seconds = run.status === 'running' ? elapsed : run.duration;
  return (
    <span className={`bz-status is-${run.status}`} title={explain(run)}>
      {run.cached && <Icon name="cached" size={12} />}
      {seconds !== undefined && run.status !== 'skipped' && (
        <span className="bz-status-time">{run.cached ? 'cached' : formatDuration(seconds)}</span>
      )}
      {run.status === 'running' ? (
        <span className="bz-spinner" />
      ) : (
        <Icon name={MARKS[run.status]} size={14} />
      )}
      <span className="bz-hidden">{WORDS[run.status]}</span>
    </span>
  );
}

function explain(run: NodeRun): string {
  if (run.status === 'skipped') return `Skipped: ${run.reason || 'the branch that feeds it was not taken'}`;
  return run.cached ? 'Taken from the cache' : WORDS[run.status];
}
