import type {
  CatalogueSpec,
  Document,
  Edge,
  NodeSpec,
  Note,
  Operation,
  Point,
  PortRef,
  Ports,
  Preview,
  Problem,
  RunInput,
  Status,
  Usage,
} from './types';

/** `opening` until the host answers, `ready` with a kernel, `static` for a document one can only look at. */
export type Phase = 'opening' | 'ready' | 'static';

/** What a run did with one node. Moments are in milliseconds since 1970, durations in seconds. */
export interface NodeRun {
  status: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  startedAt?: number;
  duration?: number;
  /** Streamed text by port. */
  text: Record<string, string>;
  tokens: number;
  progress?: { done: number; total?: number | null; message: string };
  outputs: Record<string, Preview>;
  error?: Problem;
  cached: boolean;
  /** Why it was skipped. */
  reason?: string;
}

/** The latest run, as far as its events tell. */
export interface RunView {
  id: string;
  status: Status;
  startedAt: number;
  duration?: number;
  nodes: Record<string, NodeRun>;
  done: number;
  total: number;
  output?: Preview;
  usage?: Usage;
  error?: Problem;
  /** The number of the last event taken in; one that comes again is ignored. */
  seq: number;
}

/** Everything a canvas draws, and everything it can do. */
export interface WorkflowState {
  phase: Phase;
  revision: number;
  document: Document;
  catalogue: CatalogueSpec;
  /** By type. */
  specs: Record<string, NodeSpec>;
  problems: Problem[];
  /** By node id. */
  problemsOf: Record<string, Problem[]>;
  inputs: RunInput[];
  canUndo: boolean;
  canRedo: boolean;
  run: RunView | null;
  /** What the user should be told, until `dismiss`. */
  notice: Problem | null;
  shown: PortRef | null;

  /** The node's own ports, else its type's; ports that only an edge knows of come last, tagged `any`. */
  portsOf(id: string): Ports;
  /** The conversion between two tags: `""` when the value passes as it is, null when they do not fit. */
  conversion(sourceTag: string, targetTag: string): string | null;
  /** Null when the edge may be made, else the reason why not. */
  isLegal(source: PortRef, target: PortRef): string | null;

  /** Applies the operations at once and sends them; one call is one undo step. */
  edit(operations: Operation[]): void;
  /** Makes one change, and so one undo step, of all edits that are made meanwhile. */
  together<T>(act: () => T): T;
  /** Adds a node and returns its id. */
  addNode(type: string, at: Point, settings?: Record<string, unknown>): string;
  removeNodes(ids: string[]): void;
  connect(source: PortRef, target: PortRef): void;
  disconnect(edges: Edge[]): void;
  move(positions: Record<string, Point>): void;
  /** The same as `move`, for auto-layout. */
  arrange(positions: Record<string, Point>): void;
  /** Sets a setting; undefined goes back to the default. */
  setSetting(id: string, name: string, value: unknown): void;
  /** Sets the title; an empty one goes back to the type's. */
  setTitle(id: string, title: string): void;
  /** Doubles nodes and the edges among them; returns the new ids. */
  duplicate(ids: string[], offset?: Point): string[];
  /** The nodes and the edges among them as text for the clipboard. */
  copy(ids: string[]): string;
  /** Adds what `copy` gave, its upper left corner at the point; returns the new ids. */
  paste(text: string, at: Point): string[];
  /** Adds a note and returns its id. */
  addNote(at: Point, text?: string): string;
  setNote(id: string, part: Partial<Note>): void;
  removeNote(id: string): void;
  undo(): void;
  redo(): void;
  /** Runs the workflow, or only what `target` needs. */
  start(inputs: Record<string, unknown>, target?: string): void;
  stop(): void;
  /** Puts the value of an output into the rich output area. */
  show(node: string, port: string): void;
  dismiss(): void;
}
