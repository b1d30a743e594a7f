import type {
  CatalogueSpec,
  Document,
  Edge,
  NodeEvent,
  NodeSpec,
  Note,
  Operation,
  Point,
  PortRef,
  Ports,
  Preview,
  Problem,
  Question,
  RunInput,
  Status,
  Usage,
} from './types';

/** `opening` until the host answers, `ready` with a kernel, `static` for a document one can only look at. */
export type Phase = 'opening' | 'ready' | 'static';

/**
 * What a run did with one node. Moments are in milliseconds since 1970, durations in seconds. Of a node
 * that runs in several rounds of its container this is the round that began last.
 */
export interface NodeRun {
  status: 'waiting' | 'running' | 'asked' | 'done' | 'failed' | 'skipped';
  /** The address of what is shown: `each[3]/clean`. */
  address: string;
  /** The addresses at which it works at this moment. */
  open: string[];
  /** How often it was run; absent where it runs once. */
  rounds?: { begun: number; ended: number; failed: number };
  startedAt?: number;
  duration?: number;
  /** Streamed text by port. */
  text: Record<string, string>;
  tokens: number;
  progress?: { done: number; total?: number | null; message: string };
  outputs: Record<string, Preview>;
  error?: Problem;
  cached: boolean;
  /** Seconds that it took when it was computed, where the result was kept. */
  saved: number;
  /** Why it is computed although results are kept. */
  why?: string;
  /** It failed and is tried again. */
  retry?: { attempt: number; wait: number; error: Problem };
  /** What it asks a person, by address. */
  questions: Record<string, Question>;
  /** Why it was skipped. */
  reason?: string;
}

/** What to run, where that is not everything. */
export interface Part {
  target?: string;
  only?: string;
  since?: string;
  /** Whether results of earlier runs count; they do unless it says no. */
  cache?: boolean;
}

/** The latest run, as far as its events tell. */
export interface RunView {
  id: string;
  status: Status;
  startedAt: number;
  duration?: number;
  /** By place (`each/clean`), those inside containers too. */
  places: Record<string, NodeRun>;
  /** Of what is in sight, by id. */
  nodes: Record<string, NodeRun>;
  /** Everything that happened to nodes, in order; it only grows, in place. */
  log: NodeEvent[];
  /** Seconds that were not spent since results were kept. */
  saved: number;
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
  whole: Document;
  /** The containers around what is in sight, from the top down. */
  within: string[];
  /** What is in sight: the whole workflow, or the body of a container. */
  document: Document;
  catalogue: CatalogueSpec;
  /** By type. */
  specs: Record<string, NodeSpec>;
  problems: Problem[];
  /** By node id. */
  problemsOf: Record<string, Problem[]>;
  inputs: RunInput[];
  /** Why a run would compute a node again, by node of the whole workflow. */
  stale: Record<string, string>;
  /** The nodes of the whole workflow whose outputs stand still. */
  pinned: string[];
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
  /** Sets how a node runs; undefined goes back to the default. */
  setPolicy(id: string, name: string, value: unknown): void;
  /** Looks into these containers, from the top down; at the whole without any. */
  go(within: string[]): void;
  /** Puts nodes into a sub-workflow of their own. */
  extract(ids: string[]): void;
  /** Puts the nodes of a sub-workflow in its place. */
  dissolve(id: string): void;
  /** Runs the workflow, or a part of it. */
  start(inputs: Record<string, unknown>, part?: Part): void;
  stop(): void;
  /** Answers what the node at an address asks. */
  answer(address: string, answer: Record<string, unknown>): void;
  /** Makes a node's outputs stand still as the latest run gave them, or lets it compute again. */
  pin(id: string, on: boolean): void;
  /** Puts the value of an output into the rich output area. */
  show(node: string, port: string): void;
  dismiss(): void;
}
