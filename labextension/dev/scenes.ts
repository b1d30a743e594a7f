/** Workflows and runs to look at while the canvas is made; not shipped. */
import type { Document, Problem } from '../src/model/types';

type Body = Partial<Document>;

const ASK: Body = {
  name: 'Ask my notes',
  nodes: {
    ask: { type: 'ChatInput', version: 1, settings: {} },
    load: { type: 'TextDataLoader', version: 1, settings: { path: 'notes/*.md' }, title: 'Load my notes' },
    split: { type: 'RecursiveTextSplitter', version: 1, settings: { chunk_size: 400 } },
    embed: { type: 'LocalEmbeddings', version: 1, settings: {} },
    store: { type: 'InMemoryVectorStore', version: 1, settings: {} },
    find: { type: 'VectorRetriever', version: 1, settings: { k: 3 } },
    prompt: { type: 'PromptTemplate', version: 1, settings: {} },
    chat: { type: 'LocalChat', version: 1, settings: { temperature: 0.1 } },
    answer: { type: 'ChatOutput', version: 1, settings: {} },
  },
  edges: [
    ['load.documents', 'split.documents'],
    ['split.documents', 'store.documents'],
    ['embed.embeddings', 'store.embeddings'],
    ['store.store', 'find.store'],
    ['ask.text', 'find.question'],
    ['find.documents', 'prompt.context'],
    ['ask.text', 'prompt.question'],
    ['prompt.text', 'chat.prompt'],
    ['chat.text', 'answer.text'],
  ],
  notes: { n1: { text: 'Notes are read again at every run.', at: [24, -110] } },
};

const BROKEN: Body = {
  nodes: {
    load: { type: 'TextDataLoader', version: 1, settings: {} },
    split: { type: 'RecursiveTextSplitter', version: 1, settings: { chunk_size: 0 } },
    gone: { type: 'SlackMessage', version: 1, settings: { channel: '#general', token: { $cred: 'slack' } } },
    a_very_long_identifier_of_a_node: {
      type: 'OpenAICompatibleChat',
      version: 1,
      settings: { base_url: 'http://localhost:8080/v1', api_key: { $cred: 'work key' } },
      title: 'A title that is much too long to fit into the header of a node',
    },
  },
  edges: [
    ['load.documents', 'split.documents'],
    ['split.documents', 'gone.message'],
    ['gone.answer', 'a_very_long_identifier_of_a_node.prompt'],
  ],
};

const problem = (code: string, path: string, message: string, hint = ''): Problem => ({
  code,
  path,
  message,
  hint,
});

export const PROBLEMS: Problem[] = [
  problem(
    'setting',
    'nodes.load.settings.path',
    'path is required',
    'Give a file, or a pattern such as notes/*.md.',
  ),
  problem(
    'setting',
    'nodes.split.settings.chunk_size',
    'chunk_size must be at least 1, not 0',
    'Take 200 to 1000.',
  ),
  problem(
    'unknown_node_type',
    'nodes.gone.type',
    'no installed package provides SlackMessage',
    'Install it with: pip install bpaz-nodes-slack',
  ),
];

function big(count: number): Body {
  const nodes: Document['nodes'] = {};
  const edges: Document['edges'] = [];
  const layout: Document['layout'] = {};
  for (let at = 0; at < count; at++) {
    nodes[`n${at}`] = { type: 'RecursiveTextSplitter', version: 1, settings: {} };
    layout[`n${at}`] = [(at % 40) * 320, Math.floor(at / 40) * 190];
    if (at % 40) edges.push([`n${at - 1}.documents`, `n${at}.documents`]);
  }
  return { nodes, edges, layout };
}

const inner = (nodes: Document['nodes'], edges: Document['edges']) => ({
  nodes,
  edges,
  layout: {},
  notes: {},
  groups: {},
});
const node = (type: string, settings = {}) => ({ type, version: 1, settings });
const start = (...names: string[]) => node('Start', { fields: names.map((name) => ({ name, kind: 'any' })) });

const CONTAINERS: Body = {
  name: 'Answer the letters',
  nodes: {
    load: { ...node('TextDataLoader', { path: 'letters/*.txt' }), title: 'Letters' },
    each: {
      ...node('ForEach', { at_once: 4 }),
      title: 'Each letter',
      body: inner(
        {
          letter: start('item'),
          part: {
            ...node('SubWorkflow'),
            body: inner(
              { text: start('text'), chat: node('LocalChat'), out: node('End', { fields: ['text'] }) },
              [
                ['text.text', 'chat.prompt'],
                ['chat.text', 'out.text'],
              ],
            ),
          },
          ask: node('HumanApproval', { question: 'Send this answer?', edit: true }),
          end: node('End', { fields: ['answer'] }),
        },
        [
          ['letter.item', 'part.text'],
          ['part.text', 'ask.value'],
          ['ask.approved', 'end.answer'],
        ],
      ),
    },
    off: { ...node('Delay', { seconds: 2 }), policy: { disabled: true } },
    answer: node('ChatOutput'),
    empty: { ...node('Try'), body: inner({}, []) },
  },
  edges: [
    ['load.documents', 'each.items'],
    ['each.answer', 'off.value'],
    ['off.value', 'answer.text'],
  ],
};

export const PORTS = {
  each: {
    inputs: [{ ...bare('items', 'any'), required: true }],
    outputs: [{ ...bare('answer', 'list[text]'), main: true }],
  },
  'each/letter': { inputs: [], outputs: [bare('item', 'any')] },
  'each/part': { inputs: [bare('text', 'any')], outputs: [bare('text', 'text')] },
  'each/end': { inputs: [bare('answer', 'any')], outputs: [] },
};

function bare(name: string, tag: string) {
  return {
    name,
    tag,
    title: '',
    help: '',
    required: false,
    many: false,
    source: 'wire',
    main: false,
    needs: [],
  };
}

const question = (data: string) => {
  const field = { help: '', default: null, required: false, choices: [], minimum: null, maximum: null };
  const rest = {
    step: null,
    placeholder: '',
    language: '',
    advanced: false,
    credential_types: [],
    port: false,
  };
  return {
    text: 'Send this answer?',
    value: { type: 'str', text: data },
    data,
    form: [
      { ...field, ...rest, name: 'approve', title: 'Approve', kind: 'boolean', required: true },
      { ...field, ...rest, name: 'value', title: 'Value', kind: 'multiline' },
      { ...field, ...rest, name: 'comment', title: 'Comment', kind: 'multiline' },
    ],
  };
};

/** A run over containers that waits for answers. */
function paused(): Raw[] {
  const at = (time: number, type: string, node: string, more: object = {}) => ({ time, type, node, ...more });
  const done = (time: number, node: string, duration: number, text: string, more: object = {}) =>
    at(time, 'node.finished', node, {
      duration,
      outputs: { text: { type: 'str', text } },
      usage: null,
      cached: false,
      saved: 0,
      ...more,
    });
  const rounds = [0, 1, 2].flatMap((key) => {
    const [round, late] = [`each[${key}]`, key * 0.3];
    return [
      at(0.3 + late, 'node.started', `${round}/letter`, { why: '' }),
      done(0.31 + late, `${round}/letter`, 0.01, 'Dear team, …'),
      at(0.31 + late, 'node.started', `${round}/part`, { why: '' }),
      at(0.33 + late, 'node.started', `${round}/part/chat`, { why: '' }),
      done(1.4 + late, `${round}/part/chat`, 1.07, 'Thank you for your letter.'),
      done(1.41 + late, `${round}/part`, 1.1, 'Thank you for your letter.'),
      at(1.42 + late, 'node.started', `${round}/ask`, { why: '' }),
      ...(key === 0
        ? [done(1.5, `${round}/ask`, 0.1, 'sent')]
        : [
            at(1.43 + late, 'node.asked', `${round}/ask`, {
              question: question('Thank you for your letter.'),
            }),
          ]),
    ];
  });
  return [
    {
      time: 0,
      type: 'run.started',
      run: 'r1',
      workflow: 'Letters',
      nodes: ['load', 'each', 'off', 'answer'],
    },
    done(0.2, 'load', 0, '3 documents', { cached: true, saved: 2.4 }),
    at(0.25, 'node.started', 'each', { why: 'its body changed' }),
    ...rounds.sort((one, other) => one.time - other.time),
    at(2.3, 'node.progress', 'each', { done: 1, total: 3, message: '' }),
    { time: 2.4, type: 'run.paused', nodes: ['each[1]/ask', 'each[2]/ask'] },
  ];
}

export function scene(name: string): Body {
  if (name === 'containers') return CONTAINERS;
  if (name === 'empty') return {};
  if (name === 'problems') return BROKEN;
  const number = /^big(\d+)$/.exec(name)?.[1];
  return number ? big(Number(number)) : ASK;
}

const ANSWER =
  'A kernel is the process that runs the code of a notebook. It keeps every variable alive between two ' +
  'cells, so a value made in one cell is there in the next. Stopping the kernel loses them all.';

type Raw = Record<string, unknown> & { type: string };

/** The events of a run, up to a point. */
export function runEvents(end: 'running' | 'done' | 'failed' | 'skipped' | 'paused'): Raw[] {
  if (end === 'paused') return paused().map(numbered);
  const order = ['ask', 'load', 'embed', 'split', 'store', 'find', 'prompt', 'chat', 'answer'];
  const events: Raw[] = [{ type: 'run.started', run: 'r1', workflow: 'Ask my notes', nodes: order }];
  const finish = (
    node: string,
    duration: number,
    port: string,
    kind: string,
    text: string,
    cached = false,
  ) => {
    events.push({ type: 'node.started', node });
    events.push({
      type: 'node.finished',
      node,
      duration,
      outputs: { [port]: { type: kind, text } },
      usage: null,
      cached,
    });
  };
  finish('ask', 0.0002, 'text', 'str', 'What is a kernel?');
  finish('load', 0.012, 'documents', 'list', '7 documents: notes/kernel.md, notes/cells.md, …', true);
  finish('embed', 0.31, 'embeddings', 'WordLlama', 'wordllama, 256 dimensions');
  if (end === 'failed') {
    events.push({ type: 'node.started', node: 'split' });
    const error = {
      code: 'node_failed',
      path: 'nodes.split',
      message: 'ValueError: overlap (900) must be smaller than chunk_size (400)',
      hint: 'Set overlap below 400.',
    };
    events.push({ type: 'node.failed', node: 'split', duration: 0.0021, error });
    for (const node of ['store', 'find', 'prompt', 'chat', 'answer']) {
      events.push({ type: 'node.skipped', node, reason: 'split failed' });
    }
    events.push({ type: 'run.finished', status: 'failed', duration: 0.4, output: null, usage: null, error });
    return events.map(numbered);
  }
  finish('split', 0.004, 'documents', 'list', '41 documents');
  finish('store', 0.021, 'store', 'InMemoryVectorStore', '41 documents');
  finish('find', 0.002, 'documents', 'list', '3 documents: notes/kernel.md (0.81), …');
  finish('prompt', 0.0001, 'text', 'str', 'Answer the question from the context. A kernel is the process…');
  events.push({ type: 'node.started', node: 'chat' });
  const words = ANSWER.split(/(?<= )/);
  const given = end === 'running' ? words.slice(0, 22) : words;
  for (const text of given) events.push({ type: 'token', node: 'chat', port: 'text', text });
  if (end === 'running') return events.map(numbered);
  const usage = { input_tokens: 412, output_tokens: given.length };
  const output = { type: 'str', text: ANSWER };
  events.push({
    type: 'node.finished',
    node: 'chat',
    duration: 3.42,
    outputs: { text: output },
    usage,
    cached: false,
  });
  finish('answer', 0.0001, 'text', 'str', ANSWER);
  events.push({ type: 'run.finished', status: 'completed', duration: 3.81, output, usage, error: null });
  return events.map(numbered);
}

function numbered(event: Raw, seq: number): Raw {
  return { seq, time: seq / 100, ...event };
}
