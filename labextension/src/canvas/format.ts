/** `420 ms`, `3.2 s`, `1 min 05 s`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

export function count(number: number, word: string): string {
  return `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;
}

/** One line of at most so many characters. */
export function oneLine(text: string, length = 80): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** A setting's value as one line of text. */
export function summarise(value: unknown): string {
  if (typeof value === 'string') return oneLine(value);
  if (value === null || value === undefined) return '';
  if (typeof value === 'object' && '$cred' in value) return String(value.$cred);
  return oneLine(JSON.stringify(value));
}
