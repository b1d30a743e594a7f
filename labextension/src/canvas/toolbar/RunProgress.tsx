import type { RunView } from '../../model/state';
import { useServices, useUi, useWorkflow } from '../context';
import { count, formatDuration } from '../format';
import { Icon } from '../icons';
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
  const { ui } = useServices();
  const run = useWorkflow((state) => state.run);
  const going = run !== null && isRunning(run.status) && run.status !== 'paused';
  const elapsed = useElapsed(going ? run.startedAt : undefined);
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
        {run.saved >= 0.1 && (
          <span title="Time that kept results took when they were computed">
            {formatDuration(run.saved)} saved
          </span>
        )}
        {asking(run) && <AnswerButton />}
        {run.error && <span className="bz-run-error">{run.error.message}</span>}
        <span className="bz-grow" />
        <button
          type="button"
          className="bz-link bz-timeline-button"
          title="How the run went in time"
          onClick={() => ui.setState({ drawer: true, tab: 'timeline' })}
        >
          <Icon name="timeline" size={13} />
          Timeline
        </button>
      </p>
    </div>
  );
}

/** Whether a node waits for a person. */
function asking(run: RunView): boolean {
  return Object.values(run.places).some(({ questions }) => Object.keys(questions).length > 0);
}

function AnswerButton() {
  const { ui } = useServices();
  const open = useUi((state) => state.questions);
  if (open) return <span>waits for your answer</span>;
  return (
    <button type="button" className="bz-link" onClick={() => ui.setState({ questions: true })}>
      Answer…
    </button>
  );
}

function Tokens({ run }: { run: RunView }) {
  const total = run.usage
    ? run.usage.input_tokens + run.usage.output_tokens
    : Object.values(run.places).reduce((sum, { tokens }) => sum + tokens, 0);
  if (!total) return null;
  const detail = run.usage && `${run.usage.input_tokens} in, ${run.usage.output_tokens} out`;
  return <span title={detail}>{count(total, 'token')}</span>;
}
