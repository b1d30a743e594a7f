/** Readable unique ids: `text_splitter`, `text_splitter_2`, … */

const LONGEST = 64;

/** The type's name as an id: `LLMChain` becomes `llm_chain`. */
export function snakeCase(type: string): string {
  const words = type
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return /^[a-z]/.test(words) ? words : `node_${words}`.replace(/_$/, '');
}

/** The name itself, or the first of name_2, name_3, … that is not taken. */
export function uniqueId(name: string, isTaken: (id: string) => boolean): string {
  let id = name.slice(0, LONGEST);
  const stem = name.replace(/_\d+$/, '');
  for (let count = 2; isTaken(id); count += 1) {
    const suffix = `_${count}`;
    id = stem.slice(0, LONGEST - suffix.length) + suffix;
  }
  return id;
}

/** A random id for a change. `crypto.randomUUID` is missing where Jupyter is served over plain http. */
export function changeId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(3)), (part) => part.toString(36)).join('');
}
