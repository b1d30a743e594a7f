import { type KeyboardEvent, useMemo, useState } from 'react';
import type { CategorySpec, NodeSpec } from '../../model/types';
import { useActions } from '../actions';
import { useServices, useWorkflow } from '../context';
import { Icon, IconButton } from '../icons';
import { rank } from './fuzzy';

/** What a drag from the palette carries: the name of a node type. */
export const DRAG_TYPE = 'application/x-bpaz-node-type';

/** All node types by category: search, drag onto the canvas, or press Enter. */
export function Palette() {
  const { ui } = useServices();
  const catalogue = useWorkflow((state) => state.catalogue);
  const actions = useActions();
  const [query, setQuery] = useState('');
  const found = useMemo(() => rank(query, catalogue.nodes, catalogue), [query, catalogue]);
  const groups = useMemo(() => byCategory(found, catalogue.categories), [found, catalogue]);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === 'Escape' && query) setQuery('');
    if (event.key === 'Enter' && event.target instanceof HTMLInputElement && query && found[0]) {
      actions.add(found[0].type);
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') moveFocus(event);
  };
  return (
    <aside className="bz-palette" aria-label="Node types" onKeyDown={onKeyDown}>
      <div className="bz-panel-head">
        <div className="bz-search-field">
          <Icon name="search" size={14} />
          <input
            type="search"
            placeholder="Search nodes"
            aria-label="Search node types"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <IconButton icon="close" label="Close the palette" onClick={() => ui.setState({ palette: false })} />
      </div>
      <div className="bz-palette-list">
        {query
          ? found.map((spec) => <Entry key={spec.type} spec={spec} />)
          : groups.map(({ category, nodes }) => (
              <details key={category.name} open>
                <summary title={category.help}>
                  <Icon name="chevron" size={12} />
                  {category.title}
                </summary>
                {nodes.map((spec) => (
                  <Entry key={spec.type} spec={spec} />
                ))}
              </details>
            ))}
        {found.length === 0 && (
          <p className="bz-empty-line">{query ? `No node type matches “${query}”.` : 'No node types yet.'}</p>
        )}
      </div>
    </aside>
  );
}

function Entry({ spec }: { spec: NodeSpec }) {
  const actions = useActions();
  const icon = useWorkflow(
    (state) => state.catalogue.categories.find(({ name }) => name === spec.category)?.icon,
  );
  const lacking = spec.install ? `\nNeeds: ${spec.install}` : '';
  return (
    <button
      type="button"
      className={`bz-entry ${spec.install ? 'is-lacking' : ''}`}
      title={`${spec.summary}${lacking}`}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAG_TYPE, spec.type);
        event.dataTransfer.effectAllowed = 'copy';
      }}
      onClick={() => actions.add(spec.type)}
    >
      <Icon path={icon} name="node" size={15} />
      <span>{spec.title}</span>
      {spec.package === 'cell' && <span className="bz-badge">cell</span>}
      {spec.install && <Icon name="warning" size={12} />}
    </button>
  );
}

export function byCategory(
  nodes: readonly NodeSpec[],
  categories: readonly CategorySpec[],
): { category: CategorySpec; nodes: NodeSpec[] }[] {
  const sorted = [...categories].sort((one, other) => one.order - other.order);
  const known = new Set(categories.map(({ name }) => name));
  const rest = [...new Set(nodes.map(({ category }) => category))].filter((name) => !known.has(name));
  const all = [...sorted, ...rest.map((name) => ({ name, title: name, help: '', icon: '', order: 1000 }))];
  return all
    .map((category) => ({ category, nodes: nodes.filter((spec) => spec.category === category.name) }))
    .filter((group) => group.nodes.length > 0);
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('input, .bz-entry')];
  const here = stops.indexOf(document.activeElement as HTMLElement);
  const next = stops[here + (event.key === 'ArrowDown' ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
