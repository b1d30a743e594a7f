import { useWorkflow } from '../context';
import { Icon } from '../icons';

/** What is wrong with a node before it runs. */
export function ProblemStrip({ id }: { id: string }) {
  const problems = useWorkflow((state) => state.problemsOf[id]);
  const first = problems?.[0];
  if (!problems || !first) return null;
  const all = problems.map(({ message, hint }) => (hint ? `${message}\n→ ${hint}` : message)).join('\n\n');
  return (
    <div className="bz-strip is-warning" title={all}>
      <Icon name="warning" size={14} />
      <div>
        <p>{first.message}</p>
        {first.code === 'unknown_node_type' && first.hint && <p className="bz-strip-hint">{first.hint}</p>}
        {problems.length > 1 && <p className="bz-strip-hint">and {problems.length - 1} more</p>}
      </div>
    </div>
  );
}
