import type { FieldSpec } from '../../model/types';

/** What was typed as a value; undefined goes back to the default. */
export type Parsed = { value: unknown } | { problem: string };

/** A value as the text of its field. */
export function shownText(field: FieldSpec, value: unknown): string {
  if (value === undefined || value === null) return '';
  switch (field.kind) {
    case 'credential':
      return isReference(value) ? value.$cred : '';
    case 'list':
      return isLines(value) ? value.join('\n') : JSON.stringify(value);
    case 'object':
    case 'json':
      return JSON.stringify(value, null, 2);
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

/** The text of a field as a value. */
export function parseField(field: FieldSpec, text: string): Parsed {
  const trimmed = text.trim();
  switch (field.kind) {
    case 'integer':
    case 'number':
      return trimmed === '' ? { value: undefined } : parseNumber(field, trimmed);
    case 'list':
      return parseList(trimmed);
    case 'object':
    case 'json':
      return trimmed === '' ? { value: undefined } : parseJson(field, trimmed);
    case 'credential':
      return { value: trimmed === '' ? undefined : { $cred: trimmed } };
    default:
      // An emptied text is the empty text only where that says something else than the default.
      return { value: text === '' && !field.default ? undefined : text };
  }
}

function parseNumber({ kind, minimum, maximum }: FieldSpec, text: string): Parsed {
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value)) return { problem: `“${text}” is not a number.` };
  if (kind === 'integer' && !Number.isInteger(value)) return { problem: 'This must be a whole number.' };
  if (minimum !== null && value < minimum) return { problem: `This must be at least ${minimum}.` };
  if (maximum !== null && value > maximum) return { problem: `This must be at most ${maximum}.` };
  return { value };
}

function parseList(text: string): Parsed {
  if (text === '') return { value: undefined };
  if (text.startsWith('[')) {
    try {
      return { value: JSON.parse(text) };
    } catch {
      // A line may begin with a bracket without being JSON.
    }
  }
  return {
    value: text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  };
}

function parseJson(field: FieldSpec, text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return field.kind === 'object' && !isObject
      ? { problem: 'This must be an object: {"key": value}.' }
      : { value };
  } catch (error) {
    return { problem: `This is not JSON: ${error instanceof Error ? error.message : error}` };
  }
}

function isReference(value: unknown): value is { $cred: string } {
  return typeof value === 'object' && value !== null && '$cred' in value && typeof value.$cred === 'string';
}

function isLines(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\n'));
}
