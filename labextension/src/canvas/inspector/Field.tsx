import { useId, useState } from 'react';
import type { FieldSpec, Problem } from '../../model/types';
import { useWorkflow } from '../context';
import { IconButton } from '../icons';
import { Control } from './controls';

interface FieldProps {
  field: FieldSpec;
  /** Undefined where the default counts. */
  value: unknown;
  problem?: Problem;
  /** Sets the value; undefined goes back to the default. */
  onSet: (value: unknown) => void;
}

/** One setting: label, control, help, what is wrong with it, and the way back to its default. */
export function Field({ field, value, problem, onSet }: FieldProps) {
  const editable = useWorkflow((state) => state.phase === 'ready');
  const control = useId();
  const [refused, setRefused] = useState('');
  const title = field.title || field.name;
  const message = refused || problem?.message;
  return (
    <div className={`bz-field ${message ? 'has-problem' : ''}`}>
      <div className="bz-field-head">
        <label htmlFor={control} title={field.help || undefined}>
          {title}
          {field.required && <span className="bz-port-star"> *</span>}
        </label>
        {value !== undefined && editable && (
          <IconButton
            icon="reset"
            label={`Reset ${title} to its default`}
            onClick={() => {
              setRefused('');
              onSet(undefined);
            }}
          />
        )}
      </div>
      <Control
        field={field}
        value={value}
        control={{ id: control, disabled: !editable, 'aria-invalid': message !== undefined }}
        onCommit={(next) => {
          setRefused('');
          onSet(next);
        }}
        onRefuse={setRefused}
      />
      {message ? (
        <p className="bz-field-problem" role="alert">
          {message}
          {!refused && problem?.hint && <span> {problem.hint}</span>}
        </p>
      ) : (
        field.help && <p className="bz-field-help">{field.help}</p>
      )}
    </div>
  );
}
