import type { NodeRun } from '../../model/state';
import type { PortSpec, Ports } from '../../model/types';
import { useActions } from '../actions';
import { useServices, useWorkflow } from '../context';
import { count, formatDuration, oneLine } from '../format';
import { Icon, IconButton } from '../icons';
import { StreamedText } from '../StreamedText';
import { portLabel } from '../tags';

/** What the last run left on a node: progress, streamed text, an error, previews of the outputs. */
export function RunPart({ id, ports }: { id: string; ports: Ports }) {
  const run = useWorkflow((state) => state.run?.nodes[id]);
  if (!run) return null;
  const streamed = Object.entries(run.text).filter(([, text]) => text !== '');
  const previews = ports.outputs.filter(({ name }) => run.outputs[name] && !run.text[name]);
  return (
    <>
      {run.status === 'running' && <Progress run={run} />}
      {run.retry && (
        <div className="bz-strip is-warning" title={run.retry.error.hint || undefined}>
          <Icon name="fresh" size={14} />
          <div>
            <p>{`Try ${run.retry.attempt} failed, again in ${formatDuration(run.retry.wait)}`}</p>
            <p className="bz-strip-hint">{run.retry.error.message}</p>
          </div>
        </div>
      )}
      <Asks run={run} />
      {streamed.map(([port, text]) => (
        <div className="bz-stream" key={port}>
          <StreamedText text={text} label={`Text of ${id}.${port}`} />
          <div className="bz-stream-foot">
            <span>{count(run.tokens, 'token')}</span>
            {run.outputs[port] && <ShowButton node={id} port={port} />}
          </div>
        </div>
      ))}
      {run.error && (
        <div className="bz-strip is-error" role="alert">
          <Icon name="warning" size={14} />
          <div>
            <p>{run.error.message}</p>
            {run.error.hint && <p className="bz-strip-hint">{run.error.hint}</p>}
          </div>
        </div>
      )}
      {previews.length > 0 && (
        <ul className="bz-previews">
          {previews.map((port) => (
            <PreviewLine key={port.name} node={id} port={port} run={run} />
          ))}
        </ul>
      )}
    </>
  );
}

/** What the node asks a person, and the way to the answer. */
function Asks({ run }: { run: NodeRun }) {
  const { ui } = useServices();
  const questions = Object.values(run.questions);
  const [first] = questions;
  if (!first) return null;
  return (
    <div className="bz-strip is-asking">
      <Icon name="hand" size={14} />
      <div>
        <p>{first.text}</p>
        {questions.length > 1 && <p className="bz-strip-hint">and {questions.length - 1} more</p>}
        <button
          type="button"
          className="bz-link nodrag nopan"
          onClick={() => ui.setState({ questions: true })}
        >
          Answer…
        </button>
      </div>
    </div>
  );
}

function PreviewLine({ node, port, run }: { node: string; port: PortSpec; run: NodeRun }) {
  const preview = run.outputs[port.name];
  if (!preview) return null;
  return (
    <li title={`${preview.type}\n${preview.text}`}>
      <span className="bz-preview-port">{portLabel(port)}</span>
      <span className="bz-preview-text">{oneLine(preview.text, 60) || preview.type}</span>
      <ShowButton node={node} port={port.name} />
    </li>
  );
}

function ShowButton({ node, port }: { node: string; port: string }) {
  const actions = useActions();
  const readOnly = useWorkflow((state) => state.phase !== 'ready');
  if (readOnly) return null;
  return <IconButton icon="eye" label={`Show ${node}.${port}`} onClick={() => actions.show(node, port)} />;
}

function Progress({ run }: { run: NodeRun }) {
  const { progress } = run;
  const share = progress?.total ? Math.min(1, progress.done / progress.total) : undefined;
  const rounds = progress?.total && !progress.message ? `${progress.done} of ${progress.total}` : '';
  return (
    <>
      <div className={`bz-bar ${share === undefined ? 'is-endless' : ''}`}>
        <span style={share === undefined ? undefined : { width: `${share * 100}%` }} />
      </div>
      {(progress?.message || rounds) && (
        <p className="bz-progress-message">{oneLine(progress?.message || rounds)}</p>
      )}
    </>
  );
}
