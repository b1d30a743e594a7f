import type { RunInput } from '../../model/types';

/** The name by which a run takes an input: `question`, or `chat.question` where two nodes share the name. */
export function inputKey(input: RunInput, inputs: RunInput[]): string {
  const shared = inputs.filter(({ name }) => name === input.name).length > 1;
  return shared ? `${input.node}.${input.port}` : input.name;
}

/** What was typed, as a run takes it, and the required inputs that are still empty. */
export function runInputs(
  inputs: RunInput[],
  values: Record<string, string>,
): { inputs: Record<string, unknown>; missing: string[] } {
  const given: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const input of inputs) {
    const key = inputKey(input, inputs);
    const text = values[key] ?? '';
    if (text !== '') given[key] = isText(input.tag) ? text : parsed(text);
    else if (input.required && (input.default === null || input.default === undefined)) missing.push(key);
  }
  return { inputs: given, missing };
}

function isText(tag: string): boolean {
  return ['text', 'message', 'messages'].includes(tag);
}

/** JSON where it is JSON (`3`, `["a"]`), else the text itself. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
