import type { NodeRun } from '../../model/state';
import { useWorkflow } from '../context';
import { formatDuration } from '../format';
import { Icon } from '../icons';
import { useElapsed } from '../useElapsed';
import { usePinned, useStale } from './stale';

const MARKS = { waiting: 'wait', asked: 'hand', done: 'check', failed: 'close', skipped: 'skip' } as const;
const WORDS = {
  waiting: 'Waiting',
  running: 'Running',
  asked: 'Waits for an answer',
  done: 'Done',
  failed: 'Failed',
  skipped: 'Skipped',
};

/** What the last run did with a node: an icon and a duration; whether that still counts. */
export function StatusMark({ id }: { id: string }) {
  const run = useWorkflow((state) => state.run?.nodes[id]);
  const elapsed = useElapsed(run?.status === 'running' ? run.startedAt : undefined);
  const stale = useStale(id);
  const pinned = usePinned(id);
  return (
    <span className={`bz-status ${run ? `is-${run.status}` : ''} ${stale === undefined ? '' : 'is-stale'}`}>
      {pinned && (
        <span className="bz-badge is-pinned" title="Pinned: runs take its outputs as they are">
          <Icon name="pin" size={11} />
          pinned
        </span>
      )}
      {stale !== undefined && (
        <span className="bz-badge is-stale" title={`A run would compute it again: ${stale}`}>
          stale
        </span>
      )}
      {run && !(pinned && run.status === 'done') && (
        <Outcome run={run} elapsed={elapsed} brief={stale !== undefined} />
      )}
    </span>
  );
}

interface OutcomeProps {
  run: NodeRun;
  elapsed: number | undefined;
  /** Without its time, which says little of a result that is out of date. */
  brief: boolean;
}

function Outcome({ run, elapsed, brief }: OutcomeProps) {
  const seconds = run.status === 'running' ? elapsed : run.duration;
  const { rounds } = run;
  return (
    <span className="bz-outcome" title={explain(run)}>
      {run.cached && !brief && <Icon name="cached" size={12} />}
      {rounds && (
        <span className="bz-status-time">
          {rounds.ended}/{rounds.begun}
        </span>
      )}
      {!rounds && !brief && seconds !== undefined && run.status !== 'skipped' && (
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

/** Everything about how a node was run, in words. */
export function explain(run: NodeRun): string {
  if (run.status === 'skipped') return `Skipped: ${run.reason || 'the branch that feeds it was not taken'}`;
  const { rounds, cached, saved, duration, why } = run;
  const facts = [
    cached
      ? `Taken from the cache${saved ? `, which saved ${formatDuration(saved)}` : ''}`
      : WORDS[run.status],
    rounds &&
      `${rounds.ended} of ${rounds.begun} rounds done${rounds.failed ? `, ${rounds.failed} failed` : ''}`,
    rounds && duration !== undefined && `The last one took ${formatDuration(duration)}`,
    why && `Computed since ${why}`,
  ];
  return facts.filter(Boolean).join('\n');
}
