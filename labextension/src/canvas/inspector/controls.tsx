import type { FieldSpec } from '../../model/types';
import { summarise } from '../format';
import { DraftInput } from './DraftInput';
import { parseField, shownText } from './values';

export interface ControlProps {
  field: FieldSpec;
  value: unknown;
  control: { id: string; disabled: boolean; 'aria-invalid': boolean };
  onCommit: (value: unknown) => void;
  /** What was typed is no value of this kind. */
  onRefuse: (message: string) => void;
}

/** The control of a kind of field. */
export function Control(props: ControlProps) {
  switch (props.field.kind) {
    case 'boolean':
      return <Switch {...props} />;
    case 'choice':
      return <Choice {...props} />;
    default:
      return <Text {...props} />;
  }
}

const ROWS: Partial<Record<FieldSpec['kind'], number>> = { multiline: 5, list: 3, object: 4, json: 4 };

/** Everything that is typed: text, numbers, lists (an item a line), JSON, names of credentials. */
function Text({ field, value, control, onCommit, onRefuse }: ControlProps) {
  const isNumber = field.kind === 'integer' || field.kind === 'number';
  const isCode = field.language !== '' || field.kind === 'json' || field.kind === 'object';
  const placeholder = shownText(field, field.default) || field.placeholder;
  return (
    <DraftInput
      {...control}
      value={shownText(field, value)}
      rows={ROWS[field.kind]}
      inputMode={isNumber ? (field.kind === 'integer' ? 'numeric' : 'decimal') : undefined}
      placeholder={value === '' ? '(empty)' : placeholder || PLACEHOLDERS[field.kind] || ''}
      spellCheck={!isCode && field.kind === 'multiline'}
      className={isCode ? 'is-code' : ''}
      onCommit={(text) => {
        const parsed = parseField(field, text);
        if ('problem' in parsed) onRefuse(parsed.problem);
        else onCommit(parsed.value);
      }}
    />
  );
}

const PLACEHOLDERS: Partial<Record<FieldSpec['kind'], string>> = {
  list: 'One item a line',
  credential: 'Name of a credential',
};

function Switch({ field, value, control, onCommit }: ControlProps) {
  return (
    <input
      {...control}
      type="checkbox"
      className="bz-switch"
      checked={Boolean(value ?? field.default)}
      onChange={(event) => onCommit(event.target.checked)}
    />
  );
}

/** The index of a choice is its value in the list, since choices may be of any kind. */
function Choice({ field, value, control, onCommit }: ControlProps) {
  const key = (choice: unknown) => JSON.stringify(choice);
  const now = value === undefined ? '' : key(value);
  const known = field.choices.some((choice) => key(choice) === now);
  const standard = summarise(field.default);
  return (
    <select
      {...control}
      className="bz-input"
      value={now}
      onChange={(event) => onCommit(field.choices.find((choice) => key(choice) === event.target.value))}
    >
      <option value="">{standard ? `${standard} (default)` : 'Choose…'}</option>
      {field.choices.map((choice) => (
        <option key={key(choice)} value={key(choice)}>
          {summarise(choice)}
        </option>
      ))}
      {now !== '' && !known && <option value={now}>{summarise(value)} (not offered)</option>}
    </select>
  );
}
