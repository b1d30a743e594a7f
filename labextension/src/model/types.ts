/**
 * The words of the model. `schema.ts` is generated from Python; here is what JSON schema cannot say:
 * everything Python sends is complete, and its open dictionaries are documents, operations and events.
 */
import type * as schema from './schema';

/** A value operation replaces what stands at a path; an absent `old` or `new` is a place with nothing. */
export type ValueOperation = { within?: string[]; path: string[]; old?: unknown; new?: unknown };
/** An edge operation moves an edge among those that enter the same port; absent is not connected. */
export type EdgeOperation = { within?: string[]; edge: Edge; old?: number; new?: number };
/** `within` names the containers, from the top down, whose body it concerns; without it that is the top. */
export type Operation = ValueOperation | EdgeOperation;

interface Named {
  default: unknown;
  document: Document;
  operations: Operation[];
  events: Event[];
  data: unknown;
}

/** All fields are there, at every depth. */
type Complete<T> = T extends object
  ? { [K in keyof T]-?: K extends keyof Named ? Named[K] : Complete<Exclude<T[K], undefined>> }
  : T;

/** From an output to an input, each written `node.port`. */
export type Edge = [string, string];
export type Point = [number, number];
export type Policy = schema.Policy;
export type Note = schema.Note;
export type Group = schema.Group;
export type NodeEntry = Omit<schema.NodeEntry, 'body'> &
  Required<Pick<schema.NodeEntry, 'settings' | 'version'>> & { body?: Body };

/** What a container runs, in normal form: every section is there. */
export interface Body {
  nodes: Record<string, NodeEntry>;
  edges: Edge[];
  layout: Record<string, Point>;
  notes: Record<string, Note>;
  groups: Record<string, Group>;
}

/** A workflow: the outermost body. */
export interface Document extends Body {
  bpaz: 1;
  name: string;
}

export interface PortRef {
  node: string;
  port: string;
}

export type CatalogueSpec = Complete<schema.CatalogueSpec>;
export type CategorySpec = Complete<schema.CategorySpec>;
export type NodeSpec = Complete<schema.NodeSpec>;
export type FieldSpec = Complete<schema.FieldSpec>;
export type TagSpec = Complete<schema.TagSpec>;
export type PortSpec = Complete<schema.PortSpec>;
export type Ports = Complete<schema.Ports>;
export type Problem = Complete<schema.Problem>;
export type RunInput = Complete<schema.RunInput>;
export type RunState = Complete<schema.RunState>;
export type Event = Complete<schema.Event>;
export type NodeEvent = Extract<Event, { type: `node.${string}` }>;
export type Question = Complete<schema.Question>;
export type Preview = Complete<schema.Preview>;
export type Usage = Complete<schema.Usage>;
export type Status = schema.Status;

export type FromPage = Complete<schema.FromPage>;
export type ToPage = Complete<schema.ToPage>;
export type Opened = Complete<schema.Opened>;
export type Changed = Complete<schema.Changed>;
export type Refused = Complete<schema.Refused>;
export type Registered = Complete<schema.Registered>;
