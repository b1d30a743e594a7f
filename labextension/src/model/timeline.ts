/** When each node worked, from the events of a run. */
import { placeOfAddress } from './sight';
import type { NodeEvent } from './types';

export interface Bar {
  address: string;
  /** Seconds since the run began. */
  from: number;
  /** Undefined while it goes on. */
  to?: number;
  kind: 'running' | 'done' | 'cached' | 'failed' | 'skipped' | 'asked';
  retries: number;
}

export interface Row {
  place: string;
  bars: Bar[];
}

/** A row for each node that worked, in the order in which they began, those inside below their container. */
export function timeline(log: readonly NodeEvent[]): Row[] {
  const rows = new Map<string, Row>();
  const open = new Map<string, Bar>();
  const begin = (event: NodeEvent, kind: Bar['kind']) => {
    const place = placeOfAddress(event.node);
    const row = rows.get(place) ?? { place, bars: [] };
    rows.set(place, row);
    const bar: Bar = { address: event.node, from: event.time, kind, retries: 0 };
    row.bars.push(bar);
    open.set(event.node, bar);
    return bar;
  };
  const end = (event: NodeEvent, kind?: Bar['kind']) => {
    const bar = open.get(event.node);
    open.delete(event.node);
    if (bar) Object.assign(bar, { to: event.time, kind: kind ?? bar.kind });
    return bar;
  };
  for (const event of log) {
    switch (event.type) {
      case 'node.started':
        begin(event, 'running');
        break;
      case 'node.retried': {
        const bar = open.get(event.node);
        if (bar) bar.retries += 1;
        break;
      }
      case 'node.asked':
        end(event, 'done');
        begin(event, 'asked');
        break;
      case 'node.answered':
        end(event);
        begin(event, 'running');
        break;
      case 'node.finished': {
        const kind = event.cached ? 'cached' : 'done';
        // What was kept ends without a beginning.
        if (!end(event, kind)) {
          begin(event, kind);
          end(event);
        }
        break;
      }
      case 'node.failed':
        end(event, 'failed');
        break;
      case 'node.skipped':
        end(event, 'skipped');
        break;
    }
  }
  return nested([...rows.values()]);
}

/** Rows below the row of their container, each level in the order of its first beginning. */
function nested(rows: Row[]): Row[] {
  const below = (prefix: string): Row[] =>
    rows
      .filter(({ place }) => place.startsWith(prefix) && !place.slice(prefix.length).includes('/'))
      .flatMap((row) => [row, ...below(`${row.place}/`)]);
  return below('');
}

/** Round moments to write on an axis of so many seconds, about five. */
export function ticks(seconds: number): number[] {
  if (seconds <= 0) return [0];
  const rough = seconds / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
}
