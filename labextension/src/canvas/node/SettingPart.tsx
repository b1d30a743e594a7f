import type { NodeEntry, NodeSpec } from '../../model/types';
import { useWorkflow } from '../context';
import { connectedPorts } from './connected';
import { settingLines } from './settingLines';

interface SettingPartProps {
  id: string;
  entry: NodeEntry;
  spec: NodeSpec | undefined;
}

/** The settings that say most about a node, one line each. */
export function SettingPart({ id, entry, spec }: SettingPartProps) {
  const connected = useWorkflow((state) => connectedPorts(state.document.edges, id, 'target'));
  const lines = settingLines(entry, spec, connected);
  if (lines.length === 0) return null;
  return (
    <div className="bz-setting-lines">
      {lines.map(({ name, title, text }) => (
        <div key={name} title={`${title}: ${text}`}>
          <span className="bz-setting-name">{title}</span>
          <span className="bz-setting-value">{text}</span>
        </div>
      ))}
    </div>
  );
}
