import { Fragment } from 'react';
import { entry } from '../../model/dict';
import type { Body, NodeEntry } from '../../model/types';
import { useActions } from '../actions';
import { useWorkflow } from '../context';
import { Icon } from '../icons';

/** Where one is: the workflow and the containers around what is in sight; a click goes back. */
export function Breadcrumb() {
  const actions = useActions();
  const within = useWorkflow((state) => state.within);
  const whole = useWorkflow((state) => state.whole);
  const specs = useWorkflow((state) => state.specs);
  if (within.length === 0) return null;
  const titles: string[] = [];
  let body: Body | undefined = whole;
  for (const id of within) {
    const node: NodeEntry | undefined = body && entry(body.nodes, id);
    titles.push(node?.title || (node && specs[node.type]?.title) || id);
    body = node?.body;
  }
  return (
    <nav className="bz-breadcrumb" aria-label="Where you are">
      <button type="button" className="bz-link" title="Go back (Escape)" onClick={() => actions.go([])}>
        {whole.name || 'Workflow'}
      </button>
      {within.map((id, depth) => (
        <Fragment key={within.slice(0, depth + 1).join('/')}>
          <Icon name="chevron" size={12} />
          {depth < within.length - 1 ? (
            <button
              type="button"
              className="bz-link"
              title={id}
              onClick={() => actions.go(within.slice(0, depth + 1))}
            >
              {titles[depth]}
            </button>
          ) : (
            <strong title={id} aria-current="location">
              {titles[depth]}
            </strong>
          )}
        </Fragment>
      ))}
    </nav>
  );
}
