import type { FieldSpec, NodeEntry, NodeSpec } from '../../model/types';
import { summarise } from '../format';

const SHOWN: FieldSpec['kind'][] = ['text', 'multiline', 'choice', 'credential', 'integer', 'number'];
const LINES = 2;

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
