/** What a user does to the document, each one undo step. */
import { corner, excerpt, type Insertion, insert, readClipboard } from './clipboard';
import { entry } from './dict';
import { snakeCase, uniqueId } from './ids';
import { addNode, connect, disconnect, edgeOf, move, put, removeNodes, whole } from './operations';
import { EMPTY_BODY } from './sight';
import type { WorkflowState } from './state';
import type { Body, Operation } from './types';

type Edits = Pick<
  WorkflowState,
  | 'addNode'
  | 'removeNodes'
  | 'connect'
  | 'disconnect'
  | 'move'
  | 'arrange'
  | 'setSetting'
  | 'setTitle'
  | 'setPolicy'
  | 'duplicate'
  | 'copy'
  | 'paste'
  | 'addNote'
  | 'setNote'
  | 'removeNote'
>;

/** The edits of a store: computed from its document, carried out by its `edit`. */
export function edits(get: () => WorkflowState): Edits {
  const edit = (operations: Operation[]) => get().edit(operations);
  const isTaken = (id: string) =>
    Object.hasOwn(get().document.nodes, id) || Object.hasOwn(get().document.notes, id);
  const carryOut = ({ operations, ids }: Insertion) => {
    edit(operations);
    return ids.filter(isTaken);
  };
  return {
    addNode(type, at, settings = {}) {
      const id = uniqueId(snakeCase(type), isTaken);
      const spec = entry(get().specs, type);
      const body = spec?.container ? { body: (spec.starter ?? EMPTY_BODY) as Body } : {};
      edit(addNode(get().document, id, { type, version: spec?.version ?? 1, settings, ...body }, at));
      return id;
    },
    removeNodes: (ids) => edit(removeNodes(get().document, ids)),
    connect: (source, target) => edit(connect(get().document, edgeOf(source, target))),
    disconnect: (edges) => edit(disconnect(get().document, edges)),
    move: (positions) => edit(move(get().document, positions)),
    arrange: (positions) => edit(move(get().document, positions)),
    setSetting: (id, name, value) => edit(put(get().document, ['nodes', id, 'settings', name], value)),
    setTitle: (id, title) => edit(put(get().document, ['nodes', id, 'title'], title.trim() || undefined)),
    setPolicy(id, name, value) {
      const { document } = get();
      const { [name]: _, ...rest } = { ...(document.nodes[id]?.policy as Record<string, unknown>) };
      const policy = value === undefined ? rest : { ...rest, [name]: value };
      edit(put(document, ['nodes', id, 'policy'], Object.keys(policy).length > 0 ? policy : undefined));
    },
    duplicate(ids, offset = [40, 40]) {
      const { document } = get();
      return carryOut(insert(document, excerpt(document, ids), offset));
    },
    copy: (ids) => JSON.stringify(excerpt(get().document, ids)),
    paste(text, [x, y]) {
      const part = readClipboard(text);
      if (!part) return [];
      const [left, top] = corner(part);
      return carryOut(insert(get().document, part, [x - left, y - top]));
    },
    addNote(at, text = '') {
      const id = uniqueId('note', isTaken);
      edit(put(get().document, ['notes', id], { text, at: whole(at) }));
      return id;
    },
    setNote(id, part) {
      const { document } = get();
      edit(Object.entries(part).flatMap(([name, value]) => put(document, ['notes', id, name], value)));
    },
    removeNote: (id) => edit(put(get().document, ['notes', id], undefined)),
  };
}
