import type { FieldSpec, NodeEntry } from '../../model/types';
import { useServices, useWorkflow } from '../context';
import { Field } from './Field';

/** How a node runs: retries, timeout, what an error leads to; drawn from what Python says there is. */
export function PolicyForm({ id, entry }: { id: string; entry: NodeEntry }) {
  const { store } = useServices();
  const fields = useWorkflow((state) => state.catalogue.policy);
  const policy = entry.policy as Record<string, unknown> | undefined;
  if (fields.length === 0) return null;
  const draw = (field: FieldSpec) => (
    <Field
      key={field.name}
      field={field}
      value={policy?.[field.name]}
      onSet={(value) =>
        store.getState().setPolicy(id, field.name, value === field.default ? undefined : value)
      }
    />
  );
  return (
    <details className="bz-section" open={policy !== undefined}>
      <summary>How it runs</summary>
      {fields.filter(({ advanced }) => !advanced).map(draw)}
      {fields.filter(({ advanced }) => advanced).map(draw)}
    </details>
  );
}
