import type { FieldSpec, NodeEntry, NodeSpec } from '../../model/types';
import { useWorkflow } from '../context';
import { summarise } from '../format';
import { connectedPorts } from './connected';

const SHOWN: FieldSpec['kind'][] = ['text', 'multiline', 'choice', 'credential', 'integer', 'number'];
const LINES = 2;

interface SettingLinesProps {
  id: string;
  entry: NodeEntry;
  spec: NodeSpec | undefined;
}

/** The settings that say most about a node, one line each. */
export function SettingLines({ id, entry, spec }: SettingLinesProps) {
  const connected = useWorkflow((state) => connectedPorts(state.document.edges, id, 'target'));
  const lines = settingLines(entry, spec, connected);
  if (lines.length === 0) return null;
  return (
    <dl className="bz-setting-lines">
      {lines.map(({ name, title, text }) => (
        <div key={name} title={`${title}: ${text}`}>
          <dt>{title}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Text-like settings first, and those that somebody set before defaults. */
export function settingLines(
  entry: NodeEntry,
  spec: NodeSpec | undefined,
  connected: ReadonlySet<string>,
): { name: string; title: string; text: string }[] {
  if (!spec) {
    return Object.entries(entry.settings)
      .slice(0, LINES)
      .map(([name, value]) => ({ name, title: name, text: summarise(value) }));
  }
  const isSet = (field: FieldSpec) => entry.settings[field.name] !== undefined;
  return spec.fields
    .filter((field) => SHOWN.includes(field.kind) && !(field.port && connected.has(field.name)))
    .filter((field) => isSet(field) || (!field.advanced && summarise(field.default) !== ''))
    .sort((one, other) => SHOWN.indexOf(one.kind) - SHOWN.indexOf(other.kind))
    .sort((one, other) => Number(isSet(other)) - Number(isSet(one)))
    .slice(0, LINES)
    .map((field) => ({
      name: field.name,
      title: field.title || field.name,
      text: summarise(entry.settings[field.name] ?? field.default),
    }))
    .filter(({ text }) => text !== '');
}
