import { useMemo } from 'react';
import { type Bar, type Row, ticks, timeline } from '../../model/timeline';
import { useActions } from '../actions';
import { useWorkflow } from '../context';
import { formatDuration } from '../format';
import { isRunning } from '../keys';
import { useElapsed } from '../useElapsed';

/** Rows that are drawn; more say nothing to the eye. */
const MOST = 200;
const WORDS = {
  running: 'running',
  done: 'done',
  cached: 'taken from the cache',
  failed: 'failed',
  skipped: 'stopped',
  asked: 'waited for an answer',
};

/** When each node worked: a row a node, a bar a round. */
export function Timeline() {
  const run = useWorkflow((state) => state.run);
  const elapsed = useElapsed(run && isRunning(run.status) ? run.startedAt : undefined);
  // The log grows in place; the number of its last event says when it has.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const rows = useMemo(() => timeline(run?.log ?? []), [run?.id, run?.seq]);
  if (!run || rows.length === 0) {
    return <p className="bz-empty-line">Run the workflow to see how its time was spent.</p>;
  }
  const last = Math.max(...rows.flatMap(({ bars }) => bars.map(({ from, to }) => to ?? from)));
  const end = Math.max(elapsed ?? last, last, 0.001);
  return (
    <section className="bz-timeline" aria-label="Timeline of the run">
      <div className="bz-axis" aria-hidden="true">
        <span />
        <div className="bz-track">
          {ticks(end).map((at) => (
            <span key={at} style={{ left: `${(100 * at) / end}%` }}>
              {at === 0 ? '0' : formatDuration(at)}
            </span>
          ))}
        </div>
      </div>
      {rows.slice(0, MOST).map((row) => (
        <Line key={row.place} row={row} end={end} />
      ))}
      {rows.length > MOST && <p className="bz-empty-line">and {rows.length - MOST} more nodes</p>}
    </section>
  );
}

function Line({ row: { place, bars }, end }: { row: Row; end: number }) {
  const actions = useActions();
  const depth = place.split('/').length - 1;
  const worked = bars.filter(({ kind }) => kind !== 'asked');
  const spent = worked.reduce((sum, { from, to }) => sum + (to ?? end) - from, 0);
  const rounds = new Set(bars.map(({ address }) => address)).size;
  return (
    <div className="bz-line">
      <button
        type="button"
        title={`Show ${place}`}
        style={{ paddingLeft: 4 + 12 * depth }}
        onClick={() => actions.revealPlace(place)}
      >
        <span>{place.split('/').at(-1)}</span>
        <small>
          {rounds > 1 ? `${rounds} rounds, ` : ''}
          {formatDuration(spent)}
        </small>
      </button>
      <div className="bz-track">
        {bars.map((bar) => (
          <span
            key={`${bar.address} ${bar.from}`}
            className={`bz-span is-${bar.kind}`}
            title={told(bar, end)}
            style={{
              left: `${(100 * bar.from) / end}%`,
              width: `${(100 * ((bar.to ?? end) - bar.from)) / end}%`,
            }}
          />
        ))}
      </div>
    </div>
  );
}

function told({ address, from, to, kind, retries }: Bar, end: number): string {
  const tries = retries ? `, tried ${retries + 1} times` : '';
  return `${address}: ${WORDS[kind]}, ${formatDuration((to ?? end) - from)} from ${formatDuration(from)}${tries}`;
}
