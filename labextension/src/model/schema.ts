// Generated from the Python models by `npm run schema`; do not edit.

export type Bpaz = 1;
export type Edges = [string, string][];
export type Color = string;
export type Nodes = string[];
export type Title = string;
export type Name = string;
export type Edges1 = [string, string][];
/**
 * @minItems 2
 * @maxItems 2
 */
export type At = [number, number];
export type Color1 = string;
/**
 * @minItems 2
 * @maxItems 2
 */
export type Size = [number, number];
export type Text = string;
export type Disabled = boolean;
export type OnError = 'fail' | 'default' | 'port';
export type Process = boolean;
export type Retries = number;
export type RetryOn = string[];
export type Timeout = number;
export type Wait = number;
export type Title1 = string;
export type Type = string;
export type Version = number;
export type Event =
  | RunStarted
  | NodeStarted
  | Token
  | NodeProgress
  | NodeFinished
  | NodeFailed
  | NodeSkipped
  | NodeRetried
  | NodeAsked
  | NodeAnswered
  | RunPaused
  | RunResumed
  | RunFinished;
export type Nodes3 = string[];
export type Run = string;
export type Seq = number;
export type Time = number;
export type Type1 = 'run.started';
export type Workflow = string;
export type Node = string;
export type Seq1 = number;
export type Time1 = number;
export type Type2 = 'node.started';
export type Why = string;
export type Node1 = string;
export type Port = string;
export type Seq2 = number;
export type Text1 = string;
export type Time2 = number;
export type Type3 = 'token';
export type Done = number;
export type Message = string;
export type Node2 = string;
export type Seq3 = number;
export type Time3 = number;
export type Total = number | null;
export type Type4 = 'node.progress';
export type Cached = boolean;
export type Duration = number;
export type Node3 = string;
export type Text2 = string;
export type Type5 = string;
export type Saved = number;
export type Seq4 = number;
export type Time4 = number;
export type Type6 = 'node.finished';
export type Cost = number | null;
export type InputTokens = number;
export type OutputTokens = number;
export type Duration1 = number;
export type Code = string;
export type Hint = string;
export type Message1 = string;
export type Path = string;
export type Node4 = string;
export type Seq5 = number;
export type Time5 = number;
export type Type7 = 'node.failed';
export type Node5 = string;
export type Reason = string;
export type Seq6 = number;
export type Time6 = number;
export type Type8 = 'node.skipped';
export type Attempt = number;
export type Node6 = string;
export type Seq7 = number;
export type Time7 = number;
export type Type9 = 'node.retried';
export type Wait1 = number;
export type Node7 = string;
export type Advanced = boolean;
export type Choices = unknown[];
export type CredentialTypes = string[];
export type Help = string;
export type Kind =
  'text' | 'multiline' | 'integer' | 'number' | 'boolean' | 'choice' | 'list' | 'object' | 'credential' | 'json';
export type Language = string;
export type Maximum = number | null;
export type Minimum = number | null;
export type Name1 = string;
export type Placeholder = string;
export type Port1 = boolean;
export type Required = boolean;
export type Step = number | null;
export type Title2 = string;
export type Form = FieldSpec[];
export type Text3 = string;
export type Seq8 = number;
export type Time8 = number;
export type Type10 = 'node.asked';
export type Node8 = string;
export type Seq9 = number;
export type Time9 = number;
export type Type11 = 'node.answered';
export type Nodes4 = string[];
export type Seq10 = number;
export type Time10 = number;
export type Type12 = 'run.paused';
export type Seq11 = number;
export type Time11 = number;
export type Type13 = 'run.resumed';
export type Duration2 = number;
export type Cost1 = number | null;
export type InputTokens1 = number;
export type Nodes5 = number;
export type OutputTokens1 = number;
export type Seconds = number;
export type Seq12 = number;
export type Status = 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';
export type Time12 = number;
export type Type14 = 'run.finished';
export type FromPage = Open | Change | Undo | Redo | Start | Stop | Answer | Pin | Extract | Dissolve | Show | Draw;
export type Type15 = 'open';
export type Base = number;
export type Id = string;
/**
 * @maxItems 10000
 */
export type Operations = {
  [k: string]: unknown;
}[];
export type Type16 = 'change';
export type Type17 = 'undo';
export type Type18 = 'redo';
export type Cache = boolean;
export type Only = string | null;
export type Since = string | null;
export type Target = string | null;
export type Type19 = 'start';
export type Type20 = 'stop';
export type Address = string;
export type Type21 = 'answer';
export type Node9 = string;
export type On = boolean;
export type Type22 = 'pin';
export type Nodes6 = string[];
export type Type23 = 'extract';
export type Within = string[];
export type Node10 = string;
export type Type24 = 'dissolve';
export type Within1 = string[];
export type Node11 = string;
export type Port2 = string;
export type Type25 = 'show';
export type Type26 = 'draw';
export type ToPage = Opened | Changed | Refused | Events1 | Registered | Shown | Drawn | Failed;
export type CanRedo = boolean;
export type CanUndo = boolean;
export type Help1 = string;
export type Icon = string;
export type Name2 = string;
export type Order = number;
export type Title3 = string;
export type Categories = CategorySpec[];
export type Category = string;
export type Collects = boolean;
export type Container = boolean;
export type Dynamic = boolean;
export type Effect = 'pure' | 'repeatable' | 'once' | 'undeclared';
export type Fields = FieldSpec[];
export type Help2 = string;
export type Install = string;
export type Package = string;
export type Help3 = string;
export type Main = boolean;
export type Many = boolean;
export type Name3 = string;
export type Needs = string[];
export type Required1 = boolean;
export type Source = 'wire' | 'run';
export type Tag = string;
export type Title4 = string;
export type Inputs1 = PortSpec[];
export type Outputs1 = PortSpec[];
export type Starter = {
  [k: string]: unknown;
} | null;
export type Summary = string;
export type Title5 = string;
export type Type27 = string;
export type Version1 = number;
export type Nodes7 = NodeSpec[];
export type Policy1 = FieldSpec[];
export type Color2 = 'green' | 'blue' | 'cyan' | 'grey' | 'pink' | 'purple' | 'orange' | 'yellow' | 'red' | 'brown';
export type Resource = boolean;
export type Title6 = string;
export type Name4 = string;
export type Node12 = string;
export type Port3 = string;
export type Required2 = boolean;
export type Tag1 = string;
export type Title7 = string;
export type Inputs2 = RunInput[];
export type Pinned = string[];
export type Code1 = string;
export type Hint1 = string;
export type Message2 = string;
export type Path1 = string;
export type Problems = Problem[];
export type Revision = number;
export type Events = {
  [k: string]: unknown;
}[];
export type Id1 = string;
export type Status1 = 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';
export type Type28 = 'opened';
export type CanRedo1 = boolean;
export type CanUndo1 = boolean;
export type Id2 = string;
export type Inputs3 = InputSplice[] | null;
export type At1 = number;
export type Insert = RunInput[];
export type Remove = number;
export type Operations1 = {
  [k: string]: unknown;
}[];
export type Pinned1 = string[] | null;
export type Problems1 = ProblemSplice[] | null;
export type At2 = number;
export type Insert1 = Problem[];
export type Remove1 = number;
export type Revision1 = number;
export type Stale1 = {
  [k: string]: string;
} | null;
export type Type29 = 'changed';
export type Id3 = string;
export type Revision2 = number;
export type Type30 = 'refused';
export type Events2 = {
  [k: string]: unknown;
}[];
export type Run1 = string;
export type Type31 = 'events';
export type Nodes8 = NodeSpec[];
export type Type32 = 'registered';
export type Node13 = string;
export type Port4 = string;
export type Type33 = 'shown';
export type Picture = string;
export type Type34 = 'drawn';
export type Type35 = 'failed';

export interface Schema {
  Document: Document;
  Event: Event;
  FromPage: FromPage;
  ToPage: ToPage;
}
/**
 * A whole workflow.
 */
export interface Document {
  bpaz: Bpaz;
  edges?: Edges;
  groups?: Groups;
  layout?: Layout;
  name: Name;
  nodes?: Nodes1;
  notes?: Notes1;
}
export interface Groups {
  [k: string]: Group;
}
/**
 * A frame around some nodes.
 *
 * This interface was referenced by `Groups`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
 *
 * This interface was referenced by `Groups1`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
 */
export interface Group {
  color?: Color;
  nodes: Nodes;
  title: Title;
}
export interface Layout {
  /**
   * @minItems 2
   * @maxItems 2
   *
   * This interface was referenced by `Layout`'s JSON-Schema definition
   * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
   */
  [k: string]: [number, number];
}
export interface Nodes1 {
  [k: string]: NodeEntry;
}
/**
 * One node: its type, the version of the type it was made with, and its settings.
 *
 * This interface was referenced by `Nodes1`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
 */
export interface NodeEntry {
  body?: Body;
  policy?: Policy;
  settings?: Settings;
  title?: Title1;
  type: Type;
  version?: Version;
}
/**
 * Nodes and their edges, and apart from these how they lie on the canvas.
 */
export interface Body {
  edges?: Edges1;
  groups?: Groups1;
  layout?: Layout1;
  nodes?: Nodes2;
  notes?: Notes;
}
export interface Groups1 {
  [k: string]: Group;
}
export interface Layout1 {
  /**
   * @minItems 2
   * @maxItems 2
   *
   * This interface was referenced by `Layout1`'s JSON-Schema definition
   * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
   */
  [k: string]: [number, number];
}
export interface Nodes2 {
  [k: string]: NodeEntry;
}
export interface Notes {
  [k: string]: Note;
}
/**
 * A sticky note.
 *
 * This interface was referenced by `Notes`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
 *
 * This interface was referenced by `Notes1`'s JSON-Schema definition
 * via the `patternProperty` "^[A-Za-z_][A-Za-z0-9_]{0,63}$".
 */
export interface Note {
  at: At;
  color?: Color1;
  size?: Size;
  text: Text;
}
/**
 * How a node runs, apart from what it does.
 *
 * Attributes:
 *     retries: How often it is tried again after it failed.
 *     wait: Seconds before the first repeat; they double with each one, at random in between, up to 60.
 *     retry_on: The errors that are worth a repeat: names of exception classes (base classes count) or
 *         error codes. Absent: all that a repeat may help.
 *     timeout: Seconds that one try may take.
 *     on_error: ``fail`` ends the run, ``default`` gives ``default`` instead of the result, ``port``
 *         adds the output ``error``, whose branch is then taken.
 *     default: What the main output gives where ``on_error`` is ``default``.
 *     disabled: The node is passed by: what enters it goes on where it fits.
 *     process: Its blocking method computes in a process of its own.
 */
export interface Policy {
  default?: Default;
  disabled?: Disabled;
  on_error?: OnError;
  process?: Process;
  retries?: Retries;
  retry_on?: RetryOn;
  timeout?: Timeout;
  wait?: Wait;
}
export interface Default {
  [k: string]: unknown;
}
export interface Settings {
  [k: string]: unknown;
}
export interface Notes1 {
  [k: string]: Note;
}
/**
 * The run began; ``nodes`` are those that will be computed, in order.
 */
export interface RunStarted {
  nodes: Nodes3;
  run: Run;
  seq: Seq;
  time: Time;
  type?: Type1;
  workflow: Workflow;
}
/**
 * All inputs of a node are there and it began; ``why`` it is computed although results are kept.
 */
export interface NodeStarted {
  node: Node;
  seq: Seq1;
  time: Time1;
  type?: Type2;
  why?: Why;
}
/**
 * A piece of streamed text.
 */
export interface Token {
  node: Node1;
  port: Port;
  seq: Seq2;
  text: Text1;
  time: Time2;
  type?: Type3;
}
/**
 * A node says how far it is.
 */
export interface NodeProgress {
  done: Done;
  message?: Message;
  node: Node2;
  seq: Seq3;
  time: Time3;
  total?: Total;
  type?: Type4;
}
/**
 * A node is done; ``outputs`` previews each computed output, ``saved`` are the seconds not spent.
 */
export interface NodeFinished {
  cached?: Cached;
  duration: Duration;
  node: Node3;
  outputs: Outputs;
  saved?: Saved;
  seq: Seq4;
  time: Time4;
  type?: Type6;
  usage?: Usage | null;
}
export interface Outputs {
  [k: string]: Preview;
}
/**
 * A short look at a value: its type, and at most a few hundred characters.
 */
export interface Preview {
  text: Text2;
  type: Type5;
}
/**
 * Tokens that models reported, and their price in US dollars: None where one is not known.
 */
export interface Usage {
  cost?: Cost;
  input_tokens?: InputTokens;
  output_tokens?: OutputTokens;
}
/**
 * A node raised.
 */
export interface NodeFailed {
  duration: Duration1;
  error: Failure;
  node: Node4;
  seq: Seq5;
  time: Time5;
  type?: Type7;
}
/**
 * An error, as an event carries it: sanitised and masked.
 */
export interface Failure {
  code: Code;
  hint?: Hint;
  message: Message1;
  path?: Path;
}
/**
 * A node is not computed: the branch that feeds it was not taken, or the run ended before.
 */
export interface NodeSkipped {
  node: Node5;
  reason: Reason;
  seq: Seq6;
  time: Time6;
  type?: Type8;
}
/**
 * A try of a node failed, and it is tried again after ``wait`` seconds.
 */
export interface NodeRetried {
  attempt: Attempt;
  error: Failure;
  node: Node6;
  seq: Seq7;
  time: Time7;
  type?: Type9;
  wait: Wait1;
}
/**
 * A node asks a person and waits; the rest of the run goes on.
 */
export interface NodeAsked {
  node: Node7;
  question: Question;
  seq: Seq8;
  time: Time8;
  type?: Type10;
}
/**
 * What a node asks a person; ``data`` is the value where it is JSON.
 */
export interface Question {
  data?: Data;
  form: Form;
  text: Text3;
  value: Preview;
}
export interface Data {
  [k: string]: unknown;
}
/**
 * One setting of a node, as its form shows it.
 */
export interface FieldSpec {
  advanced?: Advanced;
  choices?: Choices;
  credential_types?: CredentialTypes;
  default?: Default1;
  help?: Help;
  kind: Kind;
  language?: Language;
  maximum?: Maximum;
  minimum?: Minimum;
  name: Name1;
  placeholder?: Placeholder;
  port?: Port1;
  required?: Required;
  step?: Step;
  title: Title2;
}
export interface Default1 {
  [k: string]: unknown;
}
/**
 * Somebody answered, and the node goes on.
 */
export interface NodeAnswered {
  node: Node8;
  seq: Seq9;
  time: Time9;
  type?: Type11;
}
/**
 * Nothing is left to do before a person answers; ``nodes`` are those that ask.
 */
export interface RunPaused {
  nodes: Nodes4;
  seq: Seq10;
  time: Time10;
  type?: Type12;
}
/**
 * The answers came, and the run goes on.
 */
export interface RunResumed {
  seq: Seq11;
  time: Time11;
  type?: Type13;
}
/**
 * The run is over; ``saved`` is what kept results spared it.
 */
export interface RunFinished {
  duration: Duration2;
  error?: Failure | null;
  output?: Preview | null;
  saved?: Saved1 | null;
  seq: Seq12;
  status: Status;
  time: Time12;
  type?: Type14;
  usage?: Usage | null;
}
/**
 * What a run did not have to compute.
 *
 * Attributes:
 *     nodes: How many nodes.
 *     seconds: The time that they took when they were computed.
 *     input_tokens: The tokens that they took, input.
 *     output_tokens: The tokens that they took, output.
 *     cost: Their price in US dollars; None where the price of a model is not known.
 */
export interface Saved1 {
  cost?: Cost1;
  input_tokens?: InputTokens1;
  nodes?: Nodes5;
  output_tokens?: OutputTokens1;
  seconds?: Seconds;
}
/**
 * A view is there and wants everything.
 */
export interface Open {
  type?: Type15;
}
/**
 * An edit made on the canvas.
 */
export interface Change {
  base: Base;
  id: Id;
  operations: Operations;
  type?: Type16;
}
/**
 * Takes back the last change, whoever made it.
 */
export interface Undo {
  type?: Type17;
}
/**
 * Repeats what was taken back.
 */
export interface Redo {
  type?: Type18;
}
/**
 * Runs the workflow; with ``target`` only what that node needs, and the node.
 *
 * ``only`` is a node that is run alone, ``since`` one that is run with what follows; what these need
 * comes from the latest run. Without ``cache`` everything is computed afresh.
 */
export interface Start {
  cache?: Cache;
  inputs?: Inputs;
  only?: Only;
  since?: Since;
  target?: Target;
  type?: Type19;
}
export interface Inputs {
  [k: string]: unknown;
}
/**
 * Cancels the run.
 */
export interface Stop {
  type?: Type20;
}
/**
 * Answers the question of the node at an address, by field; the run goes on.
 */
export interface Answer {
  address: Address;
  answer: Answer1;
  type?: Type21;
}
export interface Answer1 {
  [k: string]: unknown;
}
/**
 * Makes the outputs of a node stand still as the latest run gave them, or lets it compute again.
 */
export interface Pin {
  node: Node9;
  on: On;
  type?: Type22;
}
/**
 * Puts nodes of a body (``within`` names its containers) into a sub-workflow of their own.
 */
export interface Extract {
  nodes: Nodes6;
  type?: Type23;
  within?: Within;
}
/**
 * Puts the nodes of a sub-workflow in its place.
 */
export interface Dissolve {
  node: Node10;
  type?: Type24;
  within?: Within1;
}
/**
 * Shows the value of an output in IPython's rich display; ``node`` is a place such as ``each/clean``.
 */
export interface Show {
  node: Node11;
  port: Port2;
  type?: Type25;
}
/**
 * Asks for a picture of the workflow as it is now, to be kept in the notebook's file.
 */
export interface Draw {
  type?: Type26;
}
/**
 * Everything a view needs, sent once as the answer to ``open``.
 */
export interface Opened {
  can_redo?: CanRedo;
  can_undo?: CanUndo;
  catalogue: CatalogueSpec;
  document: Document1;
  inputs: Inputs2;
  pinned?: Pinned;
  ports: Ports1;
  problems: Problems;
  revision: Revision;
  run?: RunState | null;
  stale?: Stale;
  type?: Type28;
}
/**
 * Everything the canvas must know to draw any workflow.
 */
export interface CatalogueSpec {
  categories: Categories;
  connections: Connections;
  nodes: Nodes7;
  policy?: Policy1;
  tags: Tags;
}
/**
 * One folder of the catalogue.
 */
export interface CategorySpec {
  help: Help1;
  icon: Icon;
  name: Name2;
  order?: Order;
  title: Title3;
}
export interface Connections {
  [k: string]: {
    [k: string]: string;
  };
}
/**
 * One node type of the catalogue.
 */
export interface NodeSpec {
  category: Category;
  collects?: Collects;
  container?: Container;
  dynamic?: Dynamic;
  effect?: Effect;
  fields?: Fields;
  help: Help2;
  install?: Install;
  package?: Package;
  ports?: Ports;
  starter?: Starter;
  summary: Summary;
  title: Title5;
  type: Type27;
  version?: Version1;
}
/**
 * The ports of one node, in order.
 */
export interface Ports {
  inputs?: Inputs1;
  outputs?: Outputs1;
}
/**
 * One port of a node.
 */
export interface PortSpec {
  help?: Help3;
  main?: Main;
  many?: Many;
  name: Name3;
  needs?: Needs;
  required?: Required1;
  source?: Source;
  tag: Tag;
  title?: Title4;
}
export interface Tags {
  [k: string]: TagSpec;
}
/**
 * What one kind of wire looks like.
 */
export interface TagSpec {
  color: Color2;
  resource?: Resource;
  title: Title6;
}
export interface Document1 {
  [k: string]: unknown;
}
/**
 * One input that a run takes by name.
 */
export interface RunInput {
  default?: Default2;
  name: Name4;
  node: Node12;
  port: Port3;
  required: Required2;
  tag: Tag1;
  title: Title7;
}
export interface Default2 {
  [k: string]: unknown;
}
export interface Ports1 {
  [k: string]: Ports;
}
/**
 * An error as the canvas shows it; ``path`` leads to the node it concerns.
 */
export interface Problem {
  code: Code1;
  hint?: Hint1;
  message: Message2;
  path?: Path1;
}
/**
 * The latest run, for a canvas that opens while or after it went on.
 */
export interface RunState {
  events: Events;
  id: Id1;
  status: Status1;
}
export interface Stale {
  [k: string]: string;
}
/**
 * A change that took place: a view's own (``id`` is the change's), another view's or the kernel's.
 */
export interface Changed {
  can_redo: CanRedo1;
  can_undo: CanUndo1;
  id?: Id2;
  inputs?: Inputs3;
  operations: Operations1;
  pinned?: Pinned1;
  ports?: Ports2;
  problems?: Problems1;
  revision: Revision1;
  stale?: Stale1;
  type?: Type29;
}
/**
 * From ``at`` of the list as it was, ``remove`` inputs go and ``insert`` come.
 */
export interface InputSplice {
  at: At1;
  insert: Insert;
  remove: Remove;
}
export interface Ports2 {
  [k: string]: Ports;
}
/**
 * From ``at`` of the list as it was, ``remove`` problems go and ``insert`` come.
 */
export interface ProblemSplice {
  at: At2;
  insert: Insert1;
  remove: Remove1;
}
/**
 * A change that did not take place; the view takes it back and shows why.
 */
export interface Refused {
  error: Problem;
  id: Id3;
  revision: Revision2;
  type?: Type30;
}
/**
 * What happened in a run since the last batch (60 Hz at most).
 */
export interface Events1 {
  events: Events2;
  run: Run1;
  type?: Type31;
}
/**
 * Node types that are new or other than before, for instance since a cell was run again.
 */
export interface Registered {
  nodes: Nodes8;
  ports?: Ports3;
  type?: Type32;
}
export interface Ports3 {
  [k: string]: Ports;
}
/**
 * The output area now holds the value that ``show`` asked for.
 */
export interface Shown {
  node: Node13;
  port: Port4;
  type?: Type33;
}
/**
 * What the notebook's file keeps of the workflow, for when there is no kernel.
 */
export interface Drawn {
  document: Document2;
  picture: Picture;
  type?: Type34;
}
export interface Document2 {
  [k: string]: unknown;
}
/**
 * A request could not be served (a run that cannot start, a value that is not there).
 */
export interface Failed {
  error: Problem;
  type?: Type35;
}
