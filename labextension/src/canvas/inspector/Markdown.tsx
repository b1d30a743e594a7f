import type { ReactNode } from 'react';

/** Help texts: paragraphs, headings, lists, code, bold. No raw HTML and no links that lead anywhere. */
export function Markdown({ text }: { text: string }) {
  return <div className="bz-markdown">{blocks(text).map(draw)}</div>;
}

type Block = { kind: 'code' | 'heading' | 'paragraph'; text: string } | { kind: 'list'; items: string[] };

const FENCE = /^```/;
const INDENTED = /^( {4}|\t|>>> |\.\.\. )/;
const HEADING = /^#{1,6} /;
const ITEM = /^ *[-*] /;

/** Cuts a text into blocks. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const rest = text.split('\n');
  const takeWhile = (fits: (line: string) => boolean): string[] => {
    const end = rest.findIndex((line) => !fits(line));
    return rest.splice(0, end < 0 ? rest.length : end);
  };
  while (rest.length > 0) {
    const line = rest.shift() ?? '';
    if (FENCE.test(line)) {
      found.push({ kind: 'code', text: takeWhile((next) => !FENCE.test(next)).join('\n') });
      rest.shift();
    } else if (INDENTED.test(line)) {
      found.push({ kind: 'code', text: outdented([line, ...takeWhile((next) => INDENTED.test(next))]) });
    } else if (HEADING.test(line)) {
      found.push({ kind: 'heading', text: line.replace(HEADING, '') });
    } else if (ITEM.test(line)) {
      found.push({ kind: 'list', items: items([line, ...takeWhile((next) => next.trim() !== '')]) });
    } else if (line.trim() !== '') {
      const more = takeWhile((next) => next.trim() !== '' && !startsBlock(next));
      found.push({ kind: 'paragraph', text: [line, ...more].join(' ') });
    }
  }
  return found;
}

function startsBlock(line: string): boolean {
  return [FENCE, INDENTED, HEADING, ITEM].some((pattern) => pattern.test(line));
}

/** The items of a list; a line that begins none continues the one before. */
function items(lines: string[]): string[] {
  const found: string[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) found.push(line.replace(ITEM, ''));
    else found.push(`${found.pop()} ${line.trim()}`);
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
