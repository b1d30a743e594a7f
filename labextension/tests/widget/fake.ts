import type { Model } from '../../src/widget/host';

type Listener = (...values: never[]) => void;

/** A widget model in memory, as anywidget hands it to a view. */
export class TestModel implements Model {
  readonly sent: unknown[] = [];
  readonly listeners: [string, Listener][] = [];
  widget_manager: unknown = {};
  closed = false;

  constructor(private readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  send(content: unknown): void {
    if (this.closed) throw new Error('Cannot send');
    this.sent.push(content);
  }

  on(event: string, listener: Listener): void {
    this.listeners.push([event, listener]);
  }

  off(event: string, listener: Listener): void {
    const index = this.listeners.findIndex(([name, one]) => name === event && one === listener);
    if (index >= 0) this.listeners.splice(index, 1);
  }

  say(event: string, value?: unknown): void {
    for (const [name, listener] of [...this.listeners]) {
      if (name === event) (listener as (value: unknown) => void)(value);
    }
  }
}
