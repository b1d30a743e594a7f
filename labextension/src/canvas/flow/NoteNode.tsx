import type { NodeProps } from '@xyflow/react';
import { memo, useState } from 'react';
import { useServices, useWorkflow } from '../context';
import { IconButton } from '../icons';
import type { NoteFlowNode } from '../ui';

/** A sticky note: plain text, edited in place. */
export const NoteNode = memo(function NoteNode({ data, selected }: NodeProps<NoteFlowNode>) {
  const { store } = useServices();
  const note = useWorkflow((state) => state.document.notes[data.note]);
  const editable = useWorkflow((state) => state.phase === 'ready');
  const [draft, setDraft] = useState<string | null>(note?.text === '' && editable ? '' : null);
  if (!note) return null;

  const commit = () => {
    if (draft !== null && draft !== note.text) store.getState().setNote(data.note, { text: draft });
    setDraft(null);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the node around it has the role and the focus
    <div
      className={`bz-note ${selected ? 'is-selected' : ''}`}
      style={note.size && { width: note.size[0], minHeight: note.size[1] }}
      onDoubleClick={() => editable && setDraft(note.text)}
    >
      {draft === null ? (
        <p className="bz-note-text">{note.text || 'Empty note'}</p>
      ) : (
        <textarea
          className="bz-note-editor nodrag nopan nowheel"
          aria-label="Text of the note"
          // biome-ignore lint/a11y/noAutofocus: the user just asked to write here
          autoFocus
          rows={4}
          placeholder="Write a note…"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={commit}
          onKeyDown={(event) => event.key === 'Escape' && commit()}
        />
      )}
      {selected && editable && (
        <IconButton
          icon="close"
          label="Remove the note"
          onClick={() => store.getState().removeNote(data.note)}
        />
      )}
    </div>
  );
});
