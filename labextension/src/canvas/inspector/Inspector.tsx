import { useReactFlow } from '@xyflow/react';
import { type RefObject, useEffect, useId, useRef } from 'react';
import type { NodeEntry, NodeSpec } from '../../model/types';
import { prefersReducedMotion } from '../actions';
import { useServices, useWorkflow } from '../context';
import { IconButton } from '../icons';
import { DraftInput } from './DraftInput';
import { Form } from './Form';
import { Markdown } from './Markdown';
import { PolicyForm } from './PolicyForm';
import { PortList } from './PortList';

const MARGIN = 24;

/** Everything about the selected node: title, settings, ports, help. */
export function Inspector({ id }: { id: string }) {
  const { ui } = useServices();
  const entry = useWorkflow((state) => state.document.nodes[id]);
  const spec = useWorkflow((state) => state.specs[entry?.type ?? '']);
  const aside = useRef<HTMLElement>(null);
  useOutOfTheWay(id, aside);
  if (!entry) return null;
  return (
    <aside ref={aside} className="bz-inspector" aria-label="Inspector">
      <div className="bz-panel-head">
        <h2>{entry.title || spec?.title || entry.type}</h2>
        <IconButton
          icon="close"
          label="Close the inspector"
          onClick={() => ui.setState({ inspector: false })}
        />
      </div>
      <div className="bz-inspector-body">
        <NodePart key={id} id={id} entry={entry} spec={spec} />
      </div>
    </aside>
  );
}

/** Moves the workflow so far to the left that the inspector does not cover its node, and back in the end. */
function useOutOfTheWay(id: string, aside: RefObject<HTMLElement | null>): void {
  const flow = useReactFlow();
  useEffect(() => {
    const node = flow.getInternalNode(id);
    const panel = aside.current?.getBoundingClientRect();
    if (!node || !panel || panel.width === 0) return;
    const { x, y } = node.internals.positionAbsolute;
    const right = flow.flowToScreenPosition({ x: x + (node.measured.width ?? 0), y }).x;
    const covered = right - panel.left + MARGIN;
    if (covered <= 0) return;
    const view = flow.getViewport();
    const shifted = { ...view, x: view.x - covered };
    const duration = prefersReducedMotion() ? 0 : 150;
    void flow.setViewport(shifted, { duration });
    return () => {
      // Who moved it meanwhile wants it where it is.
      const { x, y, zoom } = flow.getViewport();
      if (x === shifted.x && y === shifted.y && zoom === shifted.zoom)
        void flow.setViewport(view, { duration });
    };
  }, [id, aside, flow]);
}

function NodePart({ id, entry, spec }: { id: string; entry: NodeEntry; spec: NodeSpec | undefined }) {
  const { store } = useServices();
  const title = useId();
  const editable = useWorkflow((state) => state.phase === 'ready');
  return (
    <>
      <div className="bz-field">
        <label className="bz-field-head" htmlFor={title}>
          Title
        </label>
        <DraftInput
          id={title}
          value={entry.title ?? ''}
          placeholder={spec?.title || entry.type}
          disabled={!editable}
          onCommit={(text) => store.getState().setTitle(id, text.trim())}
        />
      </div>
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
      <PolicyForm id={id} entry={entry} />
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
