import { split } from '../../model/document';
import type { FieldSpec, NodeEntry, NodeSpec } from '../../model/types';
import { useServices, useWorkflow } from '../context';
import { summarise } from '../format';
import { Field } from './Field';

interface FormProps {
  id: string;
  entry: NodeEntry;
  spec: NodeSpec | undefined;
}

/** The settings of a node, drawn from the fields of its type. */
export function Form({ id, entry, spec }: FormProps) {
  if (!spec) return <UnknownSettings entry={entry} />;
  const plain = spec.fields.filter(({ advanced }) => !advanced);
  const advanced = spec.fields.filter((field) => field.advanced);
  const touched = advanced.some(({ name }) => entry.settings[name] !== undefined);
  if (spec.fields.length === 0) return null;
  return (
    <>
      {plain.map((field) => (
        <SettingField key={field.name} id={id} entry={entry} field={field} />
      ))}
      {advanced.length > 0 && (
        <details className="bz-section" open={touched}>
          <summary>Advanced</summary>
          {advanced.map((field) => (
            <SettingField key={field.name} id={id} entry={entry} field={field} />
          ))}
        </details>
      )}
    </>
  );
}

function SettingField({ id, entry, field }: { id: string; entry: NodeEntry; field: FieldSpec }) {
  const { store } = useServices();
  const from = useWorkflow(({ document }) => {
    if (!field.port) return '';
    return document.edges.find(([, target]) => target === `${id}.${field.name}`)?.[0] ?? '';
  });
  const problem = useWorkflow((state) => {
    const path = `nodes.${id}.settings.${field.name}`;
    return state.problemsOf[id]?.find((found) => found.path === path || found.path.startsWith(`${path}.`));
  });
  if (from) {
    const [node, port] = split(from);
    return (
      <div className="bz-field">
        <span className="bz-field-head">{field.title || field.name}</span>
        <p className="bz-from">
          from <code>{`${node}.${port}`}</code>
        </p>
      </div>
    );
  }
  return (
    <Field
      field={field}
      value={entry.settings[field.name]}
      problem={problem}
      onSet={(value) => store.getState().setSetting(id, field.name, value)}
    />
  );
}

/** What a node of a type that is not installed keeps. */
function UnknownSettings({ entry }: { entry: NodeEntry }) {
  const settings = Object.entries(entry.settings);
  if (settings.length === 0) return null;
  return (
    <div className="bz-kept">
      {settings.map(([name, value]) => (
        <div key={name}>
          <span className="bz-setting-name">{name}</span>
          <span className="bz-setting-value">{summarise(value)}</span>
        </div>
      ))}
    </div>
  );
}
