import type { NodeEntry, NodeSpec } from '../../model/types';
import { useServices, useUi, useWorkflow } from '../context';
import { IconButton } from '../icons';
import { DraftInput } from './DraftInput';
import { Form } from './Form';
import { Markdown } from './Markdown';
import { PortList } from './PortList';

/** Everything about the selected node: title, settings, ports, help. */
export function Inspector() {
  const { ui } = useServices();
  const selected = useUi((state) => state.selected);
  const id = selected.length === 1 ? selected[0]! : undefined;
  const entry = useWorkflow((state) => (id ? state.document.nodes[id] : undefined));
  const spec = useWorkflow((state) => (entry ? state.specs[entry.type] : undefined));
  return (
    <aside className="bz-inspector" aria-label="Inspector">
      <div className="bz-panel-head">
        <h2>{entry ? entry.title || spec?.title || entry.type : 'Inspector'}</h2>
        <IconButton
          icon="close"
          label="Close the inspector"
          onClick={() => ui.setState({ inspector: false })}
        />
      </div>
      <div className="bz-inspector-body">
        {id && entry ? (
          <NodePart key={id} id={id} entry={entry} spec={spec} />
        ) : (
          <p className="bz-empty-line">
            {selected.length > 1
              ? `${selected.length} nodes are selected.`
              : 'Select a node to see its settings.'}
          </p>
        )}
      </div>
    </aside>
  );
}

function NodePart({ id, entry, spec }: { id: string; entry: NodeEntry; spec: NodeSpec | undefined }) {
  const { store } = useServices();
  const editable = useWorkflow((state) => state.phase === 'ready');
  return (
    <>
      <label className="bz-field">
        <span className="bz-field-head">Title</span>
        <DraftInput
          value={entry.title ?? ''}
          placeholder={spec?.title || entry.type}
          disabled={!editable}
          onCommit={(title) => store.getState().setTitle(id, title.trim())}
        />
      </label>
      <p className="bz-facts">
        <code title="The name of this node in Python and in references">{id}</code>
        <span title={`Type, from ${spec?.package ?? 'a package that is not installed'}`}>{entry.type}</span>
        {spec && spec.effect === 'once' && (
          <span className="bz-badge" title="Has an effect outside that must not be repeated">
            once
          </span>
        )}
      </p>
      <Problems id={id} />
      <Form id={id} entry={entry} spec={spec} />
      <PortList id={id} />
      {spec?.help && (
        <details className="bz-section">
          <summary>Help</summary>
          <Markdown text={spec.help} />
        </details>
      )}
    </>
  );
}

/** The problems of a node that no field of its form shows. */
function Problems({ id }: { id: string }) {
  const problems = useWorkflow((state) => state.problemsOf[id]);
  const rest = problems?.filter(({ path }) => !path.startsWith(`nodes.${id}.settings.`)) ?? [];
  return rest.map(({ code, message, hint }) => (
    <div className="bz-strip is-warning" key={`${code} ${message}`}>
      <div>
        <p>{message}</p>
        {hint && <p className="bz-strip-hint">{hint}</p>}
      </div>
    </div>
  ));
}
