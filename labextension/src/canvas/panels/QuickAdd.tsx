import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { Icon } from '../icons';
import type { QuickAddPlace } from '../ui';
import { fittingTypes } from './fitting';
import { rank } from './fuzzy';

const BOX = { width: 280, height: 300 };

/** The box at the cursor that adds a node; after a wire dropped in the void only types that fit it. */
export function QuickAdd() {
  const place = useUi((state) => state.quickAdd);
  return place && <Box place={place} key={place.screen.join()} />;
}

function Box({ place }: { place: QuickAddPlace }) {
  const { store, ui } = useServices();
  const actions = useActions();
  const catalogue = useWorkflow((state) => state.catalogue);
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => {
    const types = place.from ? fittingTypes(store.getState(), place.from) : catalogue.nodes;
    return rank(query, types, catalogue).slice(0, 50);
  }, [query, catalogue, place, store]);
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView?.({ block: 'nearest' });
  }, [chosen]);

  const close = () => {
    ui.setState({ quickAdd: null });
    ui.getState().root?.focus({ preventScroll: true });
  };
  const add = (index: number) => {
    const spec = found[index];
    if (!spec) return;
    actions.add(spec.type, place.at, place.from);
    close();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((now) => Math.max(0, Math.min(found.length - 1, now + step)));
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) add(chosen);
    if (event.key === 'Escape') close();
    if (step || event.key === 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="bz-quick-add"
      style={within(ui.getState().root, place)}
      role="dialog"
      aria-label="Add a node"
    >
      <div className="bz-search-field">
        <Icon name="search" size={14} />
        <input
          // biome-ignore lint/a11y/noAutofocus: the box was opened to type into it
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-label="Node type"
          placeholder={place.from ? 'Connect to…' : 'Add a node…'}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => ui.setState({ quickAdd: null })}
        />
      </div>
      <div ref={list} id={listId} className="bz-options" role="listbox" aria-label="Node types">
        {found.map((spec, index) => (
          <div
            key={spec.type}
            className="bz-option"
            role="option"
            aria-selected={index === chosen}
            tabIndex={-1}
            onPointerEnter={() => setChosen(index)}
            // Before the field loses the focus, which closes the box.
            onPointerDown={(event) => {
              event.preventDefault();
              add(index);
            }}
          >
            <strong>{spec.title}</strong>
            <span>{spec.summary}</span>
          </div>
        ))}
        {found.length === 0 && <p className="bz-empty-line">Nothing fits.</p>}
      </div>
    </div>
  );
}

/** Beside the cursor, and wholly inside the canvas. */
function within(root: HTMLElement | null, { screen: [x, y] }: QuickAddPlace): { left: number; top: number } {
  const box = root?.getBoundingClientRect() ?? { left: 0, top: 0, width: 1000, height: 1000 };
  const clamp = (value: number, room: number) => Math.max(8, Math.min(value, room - 8));
  return {
    left: clamp(x - box.left, box.width - BOX.width),
    top: clamp(y - box.top, box.height - BOX.height),
  };
}
