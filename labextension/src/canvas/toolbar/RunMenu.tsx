import { useEffect, useRef, useState } from 'react';
import type { Part } from '../../model/state';
import { useActions } from '../actions';
import { useUi } from '../context';
import { Icon } from '../icons';
import { shownKeys } from '../keys';

interface Choice {
  title: string;
  help: string;
  keys?: string;
  part: Part;
  /** It needs a selected node. */
  one?: boolean;
}

/** What else may be run than everything. */
export function RunMenu({ disabled }: { disabled: boolean }) {
  const actions = useActions();
  const selected = useUi((state) => (state.selected.length === 1 ? state.selected[0] : undefined));
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (open) menu.current?.querySelector<HTMLElement>('button:not(:disabled)')?.focus();
  }, [open]);
  const close = () => {
    setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys and the focus of the menu in it
    <div
      className="bz-menu"
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && close()}
      onKeyDown={(event) => {
        if (!open) return;
        if (event.key === 'Escape') close();
        else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') walk(menu.current, event.key);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <button
        type="button"
        className="bz-run bz-run-more"
        aria-label="More ways to run"
        title="More ways to run"
        aria-haspopup="menu"
        aria-expanded={open}
        disabled={disabled}
        onClick={() => setOpen(!open)}
      >
        <Icon name="down" size={14} />
      </button>
      {open && (
        <div ref={menu} className="bz-menu-list" role="menu" aria-label="Ways to run">
          {choices(selected).map(({ title, help, keys, part, one }) => (
            <button
              type="button"
              role="menuitem"
              key={title}
              disabled={one && selected === undefined}
              onClick={() => {
                close();
                actions.run(part);
              }}
            >
              <span>
                {title}
                <small>{help}</small>
              </span>
              {keys && <kbd>{shownKeys(keys)}</kbd>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function choices(node: string | undefined): Choice[] {
  const name = node ?? 'the selected node';
  return [
    { title: 'Run', help: 'What changed since the latest run', keys: 'Mod+Enter', part: {} },
    {
      title: `Run to ${name}`,
      help: 'The node and what it needs',
      keys: 'Mod+Shift+Enter',
      part: { target: node },
      one: true,
    },
    { title: `Run only ${name}`, help: 'With the inputs of the latest run', part: { only: node }, one: true },
    { title: `Run from ${name}`, help: 'The node and what follows', part: { since: node }, one: true },
    { title: 'Run afresh', help: 'Everything, whatever is kept', part: { cache: false } },
  ];
}

function walk(menu: HTMLElement | null, key: string): void {
  const items = [...(menu?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])];
  const now = items.indexOf(document.activeElement as HTMLElement);
  const step = key === 'ArrowDown' ? 1 : -1;
  items[(now + step + items.length) % items.length]?.focus();
}
