import { useCallback, useEffect, useRef, useState } from 'react';

/** How long one pauses in typing before what was typed counts. */
export const PAUSE = 400;

/**
 * Text that is being typed: it counts on blur, on Enter, or after a pause; until then a change from
 * outside does not overwrite it.
 */
export function useDraft(value: string, onCommit: (text: string) => void) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef({ draft, value, onCommit });
  latest.current = { ...latest.current, value, onCommit };

  const commit = useCallback(() => {
    clearTimeout(timer.current);
    const { draft: typed, value: before, onCommit: send } = latest.current;
    latest.current.draft = null;
    if (typed !== null && typed !== before) send(typed);
  }, []);
  const finish = useCallback(() => {
    commit();
    setDraft(null);
  }, [commit]);
  // A node that is deselected while one types keeps what was typed.
  useEffect(() => commit, [commit]);

  return {
    text: draft ?? value,
    onChange(text: string) {
      latest.current.draft = text;
      setDraft(text);
      clearTimeout(timer.current);
      timer.current = setTimeout(commit, PAUSE);
    },
    finish,
    cancel() {
      clearTimeout(timer.current);
      latest.current.draft = null;
      setDraft(null);
    },
  };
}
