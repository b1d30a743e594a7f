import type { StoreApi } from 'zustand/vanilla';
import type { Host } from '../model/host';
import type { LiveDetail } from '../model/live';
import type { WorkflowState } from '../model/store';

/** How long nobody has edited before the notebook's output is brought up to date, in milliseconds. */
const QUIET = 1_000;

/**
 * Keeps the notebook's output as the workflow is now, so that a saved notebook shows it without a kernel.
 *
 * @returns A function that ends it.
 */
export function keepUpToDate(
  host: Host,
  store: StoreApi<WorkflowState>,
  keep: NonNullable<LiveDetail['keep']>,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const unsubscribe = store.subscribe((state, before) => {
    if (state.revision < 0 || state.document === before.document) return;
    clearTimeout(timer);
    timer = setTimeout(() => host.send({ type: 'draw' }), QUIET);
  });
  const unlisten = host.subscribe((message) => {
    if (message.type === 'drawn') keep(message.document, message.picture);
  });
  return () => {
    clearTimeout(timer);
    unsubscribe();
    unlisten();
  };
}
