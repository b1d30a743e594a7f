import { useEffect, useId, useState } from 'react';
import { placeOfAddress } from '../../model/sight';
import type { FieldSpec, Question } from '../../model/types';
import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { IconButton } from '../icons';
import { Control } from '../inspector/controls';
import { StreamedText } from '../StreamedText';

/** The field that the person changes the value in; it begins with the value itself. */
const VALUE = 'value';

/** What nodes ask, wherever they are, with the form of each answer. */
export function Questions() {
  const { ui } = useServices();
  const open = useUi((state) => state.questions);
  const run = useWorkflow((state) => state.run);
  const asked = Object.values(run?.places ?? {}).flatMap(({ questions }) => Object.entries(questions));
  if (!open || asked.length === 0) return null;
  return (
    <section className="bz-questions" aria-label="Questions of the run">
      <div className="bz-panel-head">
        <h2>{asked.length === 1 ? 'Waits for your answer' : `${asked.length} questions wait`}</h2>
        <IconButton
          icon="close"
          label="Close the questions"
          onClick={() => ui.setState({ questions: false })}
        />
      </div>
      <div className="bz-questions-body">
        {asked.map(([address, question]) => (
          <Asked key={address} address={address} question={question} />
        ))}
      </div>
    </section>
  );
}

function Asked({ address, question }: { address: string; question: Question }) {
  const { store } = useServices();
  const actions = useActions();
  const ready = useWorkflow(({ phase, run }) => phase === 'ready' && run?.status === 'paused');
  const notice = useWorkflow((state) => state.notice);
  const [values, setValues] = useState<Record<string, unknown>>({});
  const [missing, setMissing] = useState<string[]>([]);
  const [sent, setSent] = useState(false);
  useEffect(() => {
    if (notice) setSent(false);
  }, [notice]);

  const decision = question.form.find(({ kind, required }) => kind === 'boolean' && required);
  const fields = question.form.filter((field) => field !== decision);
  const editable = fields.some(({ name }) => name === VALUE);
  const answer = (decided: Record<string, unknown>) => {
    const lacking = fields.filter(({ name, required }) => required && values[name] === undefined);
    setMissing(lacking.map(({ name }) => name));
    if (lacking.length > 0) return;
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    setSent(true);
    store.getState().answer(address, { ...Object.fromEntries(given), ...decided });
  };
  return (
    <form className="bz-asked" onSubmit={(event) => event.preventDefault()} aria-label={question.text}>
      <p className="bz-asked-text">{question.text}</p>
      <button
        type="button"
        className="bz-link bz-asked-by"
        onClick={() => actions.revealPlace(placeOfAddress(address))}
      >
        {address}
      </button>
      {!editable && <StreamedText text={question.value.text} label={`What ${address} asks about`} />}
      {fields.map((field) => (
        <AnswerField
          key={field.name}
          field={field}
          value={values[field.name] ?? (field.name === VALUE ? question.data : undefined)}
          missing={missing.includes(field.name)}
          onSet={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
        />
      ))}
      <div className="bz-asked-foot">
        {!ready && <small>You can answer when the rest is done.</small>}
        {decision ? (
          <>
            <button
              type="button"
              className="bz-button"
              disabled={!ready || sent}
              onClick={() => answer({ [decision.name]: false })}
            >
              Reject
            </button>
            <button
              type="button"
              className="bz-button is-accept"
              disabled={!ready || sent}
              onClick={() => answer({ [decision.name]: true })}
            >
              {decision.title}
            </button>
          </>
        ) : (
          <button
            type="button"
            className="bz-button is-accept"
            disabled={!ready || sent}
            onClick={() => answer({})}
          >
            Answer
          </button>
        )}
      </div>
    </form>
  );
}

interface AnswerFieldProps {
  field: FieldSpec;
  value: unknown;
  missing: boolean;
  onSet: (value: unknown) => void;
}

function AnswerField({ field, value, missing, onSet }: AnswerFieldProps) {
  const id = useId();
  const [refused, setRefused] = useState('');
  const trouble = refused || (missing ? 'This is needed.' : '');
  return (
    <div className={`bz-field ${trouble ? 'has-problem' : ''}`}>
      <label className="bz-field-head" htmlFor={id} title={field.help || undefined}>
        <span>
          {field.title || field.name}
          {field.required && <span className="bz-port-star"> *</span>}
        </span>
      </label>
      <Control
        field={field}
        value={value}
        control={{ id, disabled: false, 'aria-invalid': trouble !== '' }}
        onCommit={(next) => {
          setRefused('');
          onSet(next);
        }}
        onRefuse={setRefused}
      />
      {trouble && (
        <p className="bz-field-problem" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}
