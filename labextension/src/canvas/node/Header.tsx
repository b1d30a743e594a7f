import { useState } from 'react';
import type { NodeEntry, NodeSpec } from '../../model/types';
import { useServices, useWorkflow } from '../context';
import { Icon } from '../icons';
import { StatusMark } from './StatusMark';

interface HeaderProps {
  id: string;
  entry: NodeEntry;
  spec: NodeSpec | undefined;
}

/** Category icon, title (a double click renames it), type where the title says something else, status. */
export function Header({ id, entry, spec }: HeaderProps) {
  const icon = useWorkflow(
    (state) => state.catalogue.categories.find(({ name }) => name === spec?.category)?.icon,
  );
  // Without a catalogue no type is known, which says nothing about this one.
  const strange = useWorkflow((state) => !spec && state.catalogue.nodes.length > 0);
  const title = entry.title || spec?.title || entry.type;
  const caption = entry.title ? spec?.title || entry.type : '';
  return (
    <div className="bz-node-header">
      <span className="bz-node-icon">
        <Icon path={icon} name={strange ? 'help' : 'node'} size={16} />
      </span>
      <div className="bz-node-names">
        <Title id={id} title={title} own={entry.title ?? ''} />
        {caption && caption !== title && <span className="bz-node-type">{caption}</span>}
      </div>
      <StatusMark id={id} />
    </div>
  );
}

function Title({ id, title, own }: { id: string; title: string; own: string }) {
  const { store } = useServices();
  const editable = useWorkflow((state) => state.phase === 'ready');
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      // biome-ignore lint/a11y/noStaticElementInteractions: the inspector renames by keyboard
      <span
        className="bz-node-title"
        title={`${title} (${id})`}
        onDoubleClick={(event) => {
          if (!editable) return;
          event.stopPropagation();
          setDraft(own || title);
        }}
      >
        {title}
      </span>
    );
  }
  const commit = () => {
    const renamed = draft.trim();
    if (renamed !== (own || title)) store.getState().setTitle(id, renamed);
    setDraft(null);
  };
  return (
    <input
      className="bz-node-rename nodrag nopan"
      aria-label={`Title of ${id}`}
      // biome-ignore lint/a11y/noAutofocus: the user just asked to rename
      autoFocus
      value={draft}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit();
        if (event.key === 'Escape') setDraft(null);
      }}
    />
  );
}
