import { useWorkflow } from '../context';

/** Why a run would compute a node again, where the latest one computed it; else undefined. */
export function useStale(id: string): string | undefined {
  return useWorkflow(({ stale, within, run }) => {
    const ended = run?.nodes[id]?.status;
    return within.length === 0 && (ended === 'done' || ended === 'failed') ? stale[id] : undefined;
  });
}

/** Whether the outputs of a node stand still. */
export function usePinned(id: string): boolean {
  return useWorkflow(({ pinned, within }) => within.length === 0 && pinned.includes(id));
}
