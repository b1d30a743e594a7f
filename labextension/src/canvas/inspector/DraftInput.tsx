import type { InputHTMLAttributes } from 'react';
import { useDraft } from './useDraft';

type Native = Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange' | 'onBlur'>;

interface DraftInputProps extends Native {
  value: string;
  onCommit: (text: string) => void;
  /** Several lines instead of one. */
  rows?: number;
  className?: string;
}

/** A text field that commits on blur, on Enter (one line only) or after a pause. */
export function DraftInput({ value, onCommit, rows, ...native }: DraftInputProps) {
  const draft = useDraft(value, onCommit);
  const common = {
    value: draft.text,
    onChange: (event: { target: { value: string } }) => draft.onChange(event.target.value),
    onBlur: draft.finish,
    onKeyDown: (event: React.KeyboardEvent) => {
      if (event.key === 'Escape') draft.cancel();
      if (event.key === 'Enter' && rows === undefined) draft.finish();
    },
  };
  if (rows === undefined)
    return <input {...native} {...common} className={`bz-input ${native.className ?? ''}`} />;
  const { placeholder, disabled, id, className } = native;
  return (
    <textarea
      id={id}
      rows={rows}
      placeholder={placeholder}
      disabled={disabled}
      spellCheck={native.spellCheck}
      aria-label={native['aria-label']}
      aria-invalid={native['aria-invalid']}
      aria-describedby={native['aria-describedby']}
      {...common}
      className={`bz-input ${className ?? ''}`}
    />
  );
}
