import { type KeyboardEvent, useMemo, useState } from 'react';
import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { Icon } from '../icons';
import { score } from './fuzzy';

/** Finds nodes of the workflow by title, id or type; Enter goes from one to the next. */
export function Search() {
  const open = useUi((state) => state.search);
  return open ? <Box /> : null;
}

function Box() {
  const { ui } = useServices();
  const actions = useActions();
  const nodes = useWorkflow((state) => state.document.nodes);
  const specs = useWorkflow((state) => state.specs);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(-1);
  const found = useMemo(() => {
    if (!query.trim()) return [];
    return Object.entries(nodes)
      .map(([id, entry]) => {
        const title = entry.title || specs[entry.type]?.title || '';
        return {
          id,
          title,
          points: Math.max(score(query, id), score(query, title), score(query, entry.type)),
        };
      })
      .filter(({ points }) => points > 0)
      .sort((one, other) => other.points - one.points);
  }, [query, nodes, specs]);

  const close = () => {
    ui.setState({ search: false });
    ui.getState().root?.focus({ preventScroll: true });
  };
  const go = (step: number) => {
    if (found.length === 0) return;
    const next = (at + step + found.length) % found.length;
    setAt(next);
    const node = found[next];
    if (node) actions.reveal(node.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') go(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') close();
  };
  return (
    <search className="bz-search" aria-label="Search the workflow">
      <div className="bz-search-field">
        <Icon name="search" size={14} />
        <input
          // biome-ignore lint/a11y/noAutofocus: the box was opened to type into it
          autoFocus
          aria-label="Find a node"
          placeholder="Find a node…"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(-1);
          }}
          onKeyDown={onKeyDown}
        />
        <span className="bz-search-count" aria-live="polite">
          {query && (found.length ? `${at + 1 || 1} / ${found.length}` : 'none')}
        </span>
      </div>
      <button type="button" className="bz-link" onClick={close}>
        Close
      </button>
    </search>
  );
}
