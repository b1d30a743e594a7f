import type { StoreApi } from 'zustand/vanilla';
import type { Host } from './host';
import type { WorkflowState } from './state';

export type * from './state';

/** The state of one view of a workflow, kept in step with its host. */
export declare function createWorkflowStore(host: Host): StoreApi<WorkflowState>;
