/** What a message from the host does to the state of a view. */
import type { StoreApi } from 'zustand/vanilla';
import { ChangeError, same } from './changes';
import { dict } from './dict';
import { EMPTY, readDocument } from './document';
import { DISCONNECTED, type Host } from './host';
import type { Pendings } from './pending';
import { reduceRun, replay } from './run';
import { sight, walk } from './sight';
import type { WorkflowState } from './state';
import type { Changed, NodeSpec, Opened, Ports, Registered, ToPage } from './types';

/** A listener for the host's messages. */
export function receiver(
  store: StoreApi<WorkflowState>,
  host: Host,
  pendings: Pendings,
  own: Map<string, Ports>,
): (message: ToPage) => void {
  const { getState: get, setState: set } = store;

  /** Sets parts of the state, and what is in sight as it follows from them. */
  function see(parts: Partial<WorkflowState>): void {
    set({ ...parts, ...sight({ ...get(), ...parts }) });
  }

  function opened(message: Opened): void {
    const before = get();
    const catalogue = kept(before.catalogue, message.catalogue);
    own.clear();
    addPorts(message.ports);
    see({
      phase: host.readOnly ? 'static' : 'ready',
      revision: message.revision,
      whole: kept(before.whole, pendings.reset(readDocument(message.document) ?? EMPTY)),
      catalogue,
      specs: catalogue === before.catalogue ? before.specs : byType(catalogue.nodes),
      problems: message.problems,
      inputs: message.inputs,
      stale: dict(Object.entries(message.stale)),
      pinned: message.pinned,
      canUndo: message.can_undo,
      canRedo: message.can_redo,
      run: message.run ? replay(message.run) : null,
      notice: before.notice?.code === DISCONNECTED ? null : before.notice,
    });
  }

  function changed(message: Changed): void {
    const { whole, revision } = get();
    // Problems and inputs follow a change, without operations of their own.
    const isEdit = message.operations.length > 0;
    if (isEdit && message.revision <= revision) return;
    try {
      addPorts(message.ports);
      see({
        whole: isEdit ? pendings.confirm(message.id, message.operations, whole) : whole,
        revision: message.revision,
        canUndo: message.can_undo,
        canRedo: message.can_redo,
        ...(message.problems && { problems: spliced(get().problems, message.problems) }),
        ...(message.inputs && { inputs: spliced(get().inputs, message.inputs) }),
        ...(message.stale && { stale: dict(Object.entries(message.stale)) }),
        ...(message.pinned && { pinned: message.pinned }),
      });
    } catch (error) {
      if (!(error instanceof ChangeError)) throw error;
      // Out of step, for instance after messages got lost: begin again.
      host.send({ type: 'open' });
    }
  }

  function registered({ nodes, ports }: Registered): void {
    const { catalogue, whole } = get();
    const plain = new Set(nodes.filter((spec) => !spec.dynamic).map((spec) => spec.type));
    for (const [place, node] of walk(whole)) if (plain.has(node.type)) own.delete(place);
    addPorts(ports);
    const all = [...new Map([...catalogue.nodes, ...nodes].map((spec) => [spec.type, spec])).values()];
    set({ catalogue: { ...catalogue, nodes: all }, specs: byType(all) });
  }

  function addPorts(ports: Record<string, Ports> | undefined): void {
    for (const [id, one] of Object.entries(ports ?? {})) own.set(id, one);
  }

  return (message) => {
    switch (message.type) {
      case 'opened':
        return opened(message);
      case 'changed':
        return changed(message);
      case 'refused': {
        const whole = pendings.refuse(message.id);
        if (whole) see({ whole, notice: message.error });
        return;
      }
      case 'events':
        return set((state) => ({
          run: reduceRun(state.run, message.run, message.events, state.within),
          // A value that is shown is one of the run before.
          shown: state.run?.id === message.run ? state.shown : null,
        }));
      case 'registered':
        return registered(message);
      case 'shown':
        return set({ shown: { node: message.node, port: message.port } });
      case 'failed':
        return set((state) => ({
          notice: message.error,
          phase: message.error.code === DISCONNECTED ? 'static' : state.phase,
        }));
    }
  };
}

/** The old object when the new one says the same, so that nothing is drawn again. */
function kept<T>(before: T, now: T): T {
  return same(before, now) ? before : now;
}

function byType(nodes: NodeSpec[]): Record<string, NodeSpec> {
  return dict(nodes.map((spec) => [spec.type, spec]));
}

/** A list with its changes, whose positions are those of the list as it was. */
function spliced<T>(list: T[], splices: { at: number; remove: number; insert: T[] }[]): T[] {
  const result = [...list];
  for (const { at, remove, insert } of [...splices].reverse()) result.splice(at, remove, ...insert);
  return result;
}
