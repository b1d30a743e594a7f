import { useEffect } from 'react';
import type { NodeSpec } from '../model/types';
import { useActions } from './actions';
import { useServices, useUi, useWorkflow } from './context';
import { Icon, IconButton } from './icons';

const HINT_TIME = 4000;

/** What lies over the canvas: the empty state, what phase it is in, notices and hints. */
export function Messages() {
  const { store, ui } = useServices();
  const phase = useWorkflow((state) => state.phase);
  const notice = useWorkflow((state) => state.notice);
  const empty = useWorkflow(
    ({ document }) => Object.keys(document.nodes).length + Object.keys(document.notes).length === 0,
  );
  const inside = useWorkflow((state) => state.within.length > 0);
  const hint = useUi((state) => state.hint);
  useEffect(() => {
    if (!hint) return;
    const timer = setTimeout(() => ui.setState({ hint: '' }), HINT_TIME);
    return () => clearTimeout(timer);
  }, [hint, ui]);
  return (
    <>
      {phase === 'opening' && (
        <div className="bz-empty" role="status">
          <span className="bz-spinner" />
          <p>Waiting for the kernel…</p>
        </div>
      )}
      {phase === 'ready' && empty && (inside ? <EmptyBody /> : <EmptyState />)}
      {phase === 'static' && (
        <p className="bz-banner">
          <Icon name="play" size={12} /> Run the cell to bring this workflow to life
        </p>
      )}
      <div className="bz-toasts" aria-live="polite">
        {notice && (
          <div className="bz-toast is-error" role="alert">
            <Icon name="warning" />
            <div>
              <p>{notice.message}</p>
              {notice.hint && <p className="bz-strip-hint">{notice.hint}</p>}
            </div>
            <IconButton icon="close" label="Dismiss" onClick={() => store.getState().dismiss()} />
          </div>
        )}
        {hint && <div className="bz-toast">{hint}</div>}
      </div>
    </>
  );
}

/** Inside a container the first thing needed is what comes in and what goes out. */
function EmptyBody() {
  const actions = useActions();
  const nodes = useWorkflow((state) => state.catalogue.nodes);
  const enters = nodes.filter(({ ports }) => ports.inputs.some(({ source }) => source === 'run'));
  const leaves = nodes.filter(({ collects }) => collects);
  const button = (spec: NodeSpec) => (
    <button key={spec.type} type="button" className="bz-button" onClick={() => actions.add(spec.type)}>
      {spec.title}
    </button>
  );
  return (
    <div className="bz-empty">
      <p className="bz-empty-title">Nothing is inside yet</p>
      <div className="bz-empty-choice">
        <span>What comes in</span> {enters.map(button)}
      </div>
      <div className="bz-empty-choice">
        <span>What goes out</span> {leaves.map(button)}
      </div>
      <p>
        Press <kbd>Tab</kbd> for any other node, <kbd>Esc</kbd> to go back
      </p>
    </div>
  );
}

function EmptyState() {
  return (
    <div className="bz-empty">
      <p className="bz-empty-title">This workflow has no nodes yet</p>
      <ul>
        <li>
          <strong>Drag</strong> a node from the palette
        </li>
        <li>
          Press <kbd>Tab</kbd> or double-click here
        </li>
        <li>
          Type in a cell: <code>wf.add("…")</code>
        </li>
      </ul>
    </div>
  );
}
