import { createStore, type StoreApi } from 'zustand/vanilla';
import { apply, ChangeError } from './changes';
import { conversion, refusal } from './connections';
import { dict, entry } from './dict';
import { EMPTY, NO_CATALOGUE } from './document';
import { edits } from './edits';
import type { Host } from './host';
import { changeId } from './ids';
import { Pendings } from './pending';
import { portReader } from './ports';
import { receiver } from './receive';
import { placeOf, sight } from './sight';
import type { WorkflowState } from './state';
import type { Operation, Ports } from './types';

export type * from './state';

/** More than the host takes in one change. */
const MOST_OPERATIONS = 10_000;

/** The state of one view of a workflow, kept in step with its host. */
export function createWorkflowStore(host: Host): StoreApi<WorkflowState> {
  const pendings = new Pendings(EMPTY);
  /** Ports of the nodes whose ports are not those of their type, by place. */
  const own = new Map<string, Ports>();
  const readPorts = portReader();

  const store = createStore<WorkflowState>((set, get) => {
    const place = (id: string) => placeOf(get().within, id);
    const declared = (id: string) => {
      const { document, specs } = get();
      const node = entry(document.nodes, id);
      return node && (own.get(place(id)) ?? entry(specs, node.type)?.ports);
    };
    let gathered: Operation[] | null = null;
    const send = (operations: Operation[]) => {
      const id = changeId();
      pendings.add(id, operations);
      host.send({ type: 'change', id, base: get().revision, operations });
    };
    const whenReady = (act: () => void) => {
      if (get().phase === 'ready') act();
    };
    return {
      phase: 'opening',
      revision: -1,
      whole: EMPTY,
      within: [],
      document: EMPTY,
      catalogue: NO_CATALOGUE,
      specs: dict(),
      problems: [],
      problemsOf: dict(),
      inputs: [],
      stale: dict(),
      pinned: [],
      canUndo: false,
      canRedo: false,
      run: null,
      notice: null,
      shown: null,

      portsOf: (id) => readPorts(id, declared(id), get().document.edges),
      conversion: (source, target) => conversion(get().catalogue, source, target),
      isLegal: (source, target) => refusal(get().document, get().catalogue, declared, source, target),

      edit: (operations) =>
        whenReady(() => {
          if (operations.length === 0) return;
          const { within, whole } = get();
          const placed = within.length > 0 ? operations.map((each) => ({ ...each, within })) : operations;
          try {
            if (operations.length > MOST_OPERATIONS) {
              throw new ChangeError('patch', `One edit makes ${MOST_OPERATIONS} changes at most.`);
            }
            const changed = apply(whole, placed);
            set({ whole: changed, ...sight({ ...get(), whole: changed }) });
          } catch (error) {
            if (!(error instanceof ChangeError)) throw error;
            const { code, message, path } = error;
            return set({ notice: { code, message, path, hint: 'Look at the workflow and try again.' } });
          }
          if (gathered) gathered.push(...placed);
          else send(placed);
        }),
      together(act) {
        if (gathered) return act();
        gathered = [];
        try {
          return act();
        } finally {
          const all = gathered;
          gathered = null;
          if (all.length > 0) send(all);
        }
      },
      ...edits(get),

      undo: () => whenReady(() => host.send({ type: 'undo' })),
      redo: () => whenReady(() => host.send({ type: 'redo' })),
      go: (within) => set(sight({ ...get(), within })),
      extract: (nodes) => whenReady(() => host.send({ type: 'extract', within: get().within, nodes })),
      dissolve: (node) => whenReady(() => host.send({ type: 'dissolve', within: get().within, node })),
      start: (inputs, { target = null, only = null, since = null, cache = true } = {}) =>
        whenReady(() => {
          set({ notice: null });
          host.send({ type: 'start', inputs, target, only, since, cache });
        }),
      stop: () => whenReady(() => host.send({ type: 'stop' })),
      answer: (address, answer) => whenReady(() => host.send({ type: 'answer', address, answer })),
      pin: (id, on) => whenReady(() => host.send({ type: 'pin', node: place(id), on })),
      show: (node, port) => whenReady(() => host.send({ type: 'show', node: place(node), port })),
      dismiss: () => set({ notice: null }),
    };
  });

  host.subscribe(receiver(store, host, pendings, own));
  host.send({ type: 'open' });
  return store;
}
