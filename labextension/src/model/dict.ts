/**
 * Dictionaries whose keys come from outside. They inherit nothing, so that a node may be called
 * `constructor` or `__proto__`, and they are copied and never written to.
 */

export function dict<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const made: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) made[key] = value;
  return made;
}

/** A copy with one entry more or other. */
export function withEntry<T>(record: Record<string, T>, key: string, value: T): Record<string, T> {
  const copy = dict(Object.entries(record));
  copy[key] = value;
  return copy;
}

/** A copy with one entry less. */
export function withoutEntry<T>(record: Record<string, T>, key: string): Record<string, T> {
  return dict(Object.entries(record).filter(([name]) => name !== key));
}

/** The entry of that name, or undefined; what every object inherits is no entry. */
export function entry<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
