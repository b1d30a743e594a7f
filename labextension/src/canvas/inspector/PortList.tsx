import { useActions } from '../actions';
import { useUi, useWorkflow } from '../context';
import { oneLine } from '../format';
import { IconButton } from '../icons';
import { portLabel, tagClass, tagLook } from '../tags';

/** The ports of a node with their kinds, what feeds them, and what the last run gave. */
export function PortList({ id }: { id: string }) {
  const ports = useUi(({ nodes }) => {
    const node = nodes.find((found) => found.id === id);
    return node?.type === 'workflow' ? node.data.ports : undefined;
  });
  const catalogue = useWorkflow((state) => state.catalogue);
  const edges = useWorkflow((state) => state.document.edges);
  const outputs = useWorkflow((state) => state.run?.nodes[id]?.outputs);
  const ready = useWorkflow((state) => state.phase === 'ready');
  const actions = useActions();
  if (!ports || ports.inputs.length + ports.outputs.length === 0) return null;
  const feeding = (name: string) =>
    edges.filter(([, target]) => target === `${id}.${name}`).map(([source]) => source);
  return (
    <details className="bz-section" open>
      <summary>Ports</summary>
      <ul className="bz-port-list">
        {ports.inputs.map((port) => (
          <li
            key={`in ${port.name}`}
            className={tagClass(catalogue, port.tag)}
            title={port.help || undefined}
          >
            <span className="bz-dot" />
            <span>{portLabel(port)}</span>
            <small>
              {feeding(port.name).join(', ') ||
                (port.source === 'run' ? 'from the run' : tagLook(catalogue, port.tag).title)}
            </small>
          </li>
        ))}
        {ports.outputs.map((port) => {
          const preview = outputs?.[port.name];
          return (
            <li
              key={`out ${port.name}`}
              className={`is-output ${tagClass(catalogue, port.tag)}`}
              title={port.help || undefined}
            >
              <span className="bz-dot" />
              <span>{portLabel(port)}</span>
              <small title={preview?.text}>
                {preview ? oneLine(preview.text, 40) || preview.type : tagLook(catalogue, port.tag).title}
              </small>
              {preview && ready && (
                <IconButton
                  icon="eye"
                  label={`Show ${id}.${port.name}`}
                  onClick={() => actions.show(id, port.name)}
                />
              )}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
