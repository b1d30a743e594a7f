import type { RunView } from '../../model/state';
import { useWorkflow } from '../context';
import { count, formatDuration } from '../format';
import { isRunning } from '../keys';
import { useElapsed } from '../useElapsed';

const WORDS = {
  pending: 'Starting',
  running: 'Running',
  paused: 'Paused',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Stopped',
};

/** How the latest run goes: a thin bar and one line. */
export function RunProgress() {
  const run = useWorkflow((state) => state.run);
  const elapsed = useElapsed(run && isRunning(run.status) ? run.startedAt : undefined);
  if (!run) return null;
  const seconds = elapsed ?? run.duration;
  return (
    <div className={`bz-run-progress is-${run.status}`}>
      <div
        className="bz-bar"
        role="progressbar"
        aria-label="Progress of the run"
        aria-valuemin={0}
        aria-valuemax={run.total}
        aria-valuenow={run.done}
      >
        <span style={{ width: `${run.total ? (100 * run.done) / run.total : 0}%` }} />
      </div>
      <p>
        {/* Said aloud when it changes; the seconds beside it are not. */}
        <span role="status" className="bz-run-status">
          {WORDS[run.status]}
        </span>
        <span>{`${run.done} / ${count(run.total, 'node')}`}</span>
        {seconds !== undefined && <span>{formatDuration(seconds)}</span>}
        <Tokens run={run} />
        {run.error && <span className="bz-run-error">{run.error.message}</span>}
      </p>
    </div>
  );
}

function Tokens({ run }: { run: RunView }) {
  const total = run.usage
    ? run.usage.input_tokens + run.usage.output_tokens
    : Object.values(run.nodes).reduce((sum, { tokens }) => sum + tokens, 0);
  if (!total) return null;
  const detail = run.usage && `${run.usage.input_tokens} in, ${run.usage.output_tokens} out`;
  return <span title={detail}>{count(total, 'token')}</span>;
}
