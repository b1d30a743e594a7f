import type { ReactNode } from 'react';

/** Help texts: paragraphs, headings, lists, code, bold. No raw HTML and no links that lead anywhere. */
export function Markdown({ text }: { text: string }) {
  return <div className="bz-markdown">{blocks(text).map(draw)}</div>;
}

type Block = { kind: 'code' | 'heading' | 'paragraph'; text: string } | { kind: 'list'; items: string[] };

/** Cuts a text into blocks. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.startsWith('```') || /^( {4}|\t|>>> )/.test(line)) {
      const fenced = line.startsWith('```');
      const code: string[] = fenced ? [] : [line];
      const inside = (next: string) =>
        fenced ? !next.startsWith('```') : /^( {4}|\t|>>> |\.\.\. )/.test(next);
      while (at + 1 < lines.length && inside(lines[at + 1]!)) code.push(lines[++at]!);
      if (fenced) at++;
      found.push({ kind: 'code', text: outdented(code) });
    } else if (/^#{1,6} /.test(line)) {
      found.push({ kind: 'heading', text: line.replace(/^#+ /, '') });
    } else if (/^ *[-*] /.test(line)) {
      const items = [line.replace(/^ *[-*] /, '')];
      while (at + 1 < lines.length && /^ *([-*] |\S)/.test(lines[at + 1]!)) {
        const next = lines[++at]!;
        if (/^ *[-*] /.test(next)) items.push(next.replace(/^ *[-*] /, ''));
        else items[items.length - 1] += ` ${next.trim()}`;
      }
      found.push({ kind: 'list', items });
    } else if (line.trim() !== '') {
      const paragraph = [line];
      while (
        at + 1 < lines.length &&
        lines[at + 1]!.trim() &&
        !/^(```|#| *[-*] | {4})/.test(lines[at + 1]!)
      ) {
        paragraph.push(lines[++at]!);
      }
      found.push({ kind: 'paragraph', text: paragraph.join(' ') });
    }
  }
  return found;
}

function draw(block: Block, key: number): ReactNode {
  switch (block.kind) {
    case 'code':
      return <pre key={key}>{block.text}</pre>;
    case 'heading':
      return <h3 key={key}>{inline(block.text)}</h3>;
    case 'list':
      return (
        <ul key={key}>
          {block.items.map((item) => (
            <li key={item}>{inline(item)}</li>
          ))}
        </ul>
      );
    default:
      return <p key={key}>{inline(block.text)}</p>;
  }
}

function inline(text: string): ReactNode[] {
  return text.split(/(``[^`]+``|`[^`]+`|\*\*[^*]+\*\*)/).map((part, index) => {
    const key = `${index}${part}`;
    if (part.startsWith('`')) return <code key={key}>{part.replace(/^`+|`+$/g, '')}</code>;
    if (part.startsWith('**')) return <strong key={key}>{part.slice(2, -2)}</strong>;
    return part;
  });
}

function outdented(lines: string[]): string {
  const indents = lines.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents, 40);
  return lines.map((line) => line.slice(least)).join('\n');
}
