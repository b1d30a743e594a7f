import { createStore, type StoreApi } from 'zustand/vanilla';
import { apply, ChangeError } from './changes';
import { conversion, refusal } from './connections';
import { dict, entry } from './dict';
import { EMPTY } from './document';
import { edits } from './edits';
import type { Host } from './host';
import { changeId } from './ids';
import { Pendings } from './pending';
import { portReader } from './ports';
import { receiver } from './receive';
import type { WorkflowState } from './state';
import type { Operation, Ports } from './types';

export type * from './state';

/** More than the host takes in one change. */
const MOST_OPERATIONS = 10_000;

/** The state of one view of a workflow, kept in step with its host. */
export function createWorkflowStore(host: Host): StoreApi<WorkflowState> {
  const pendings = new Pendings(EMPTY);
  /** Ports of the nodes whose ports are not those of their type. */
  const own = new Map<string, Ports>();
  const readPorts = portReader();

  const store = createStore<WorkflowState>((set, get) => {
    const declared = (id: string) => {
      const { document, specs } = get();
      const node = entry(document.nodes, id);
      return node && (own.get(id) ?? entry(specs, node.type)?.ports);
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
      document: EMPTY,
      catalogue: { nodes: [], categories: [], tags: {}, connections: {} },
      specs: dict(),
      problems: [],
      problemsOf: dict(),
      inputs: [],
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
          try {
            if (operations.length > MOST_OPERATIONS) {
              throw new ChangeError('patch', `One edit makes ${MOST_OPERATIONS} changes at most.`);
            }
            set({ document: apply(get().document, operations) });
          } catch (error) {
            if (!(error instanceof ChangeError)) throw error;
            const { code, message, path } = error;
            return set({ notice: { code, message, path, hint: 'Look at the workflow and try again.' } });
          }
          if (gathered) gathered.push(...operations);
          else send(operations);
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
      start: (inputs, target) =>
        whenReady(() => {
          set({ notice: null });
          host.send({ type: 'start', inputs, target: target ?? null });
        }),
      stop: () => whenReady(() => host.send({ type: 'stop' })),
      show: (node, port) => whenReady(() => host.send({ type: 'show', node, port })),
      dismiss: () => set({ notice: null }),
    };
  });

  host.subscribe(receiver(store, host, pendings, own));
  host.send({ type: 'open' });
  return store;
}
