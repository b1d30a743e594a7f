import { createContext, type ReactNode, useContext } from 'react';
import { type StoreApi, useStore } from 'zustand';
import type { Host } from '../model/host';
import type { WorkflowState } from '../model/state';
import type { UiState } from './ui';

/** What every component of one canvas shares. */
export interface Services {
  /** The workflow, in step with the kernel. */
  store: StoreApi<WorkflowState>;
  /** What only this view knows: selection, open panels, what is being dragged. */
  ui: StoreApi<UiState>;
  host: Host;
}

const ServicesContext = createContext<Services | null>(null);

export function ServicesProvider({ services, children }: { services: Services; children: ReactNode }) {
  return <ServicesContext.Provider value={services}>{children}</ServicesContext.Provider>;
}

/** @throws Error outside a `ServicesProvider`. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error('The canvas is used outside its ServicesProvider; draw it by mountCanvas.');
  return services;
}

/** A part of the workflow; the component is drawn again only when that part is another one. */
export function useWorkflow<T>(selector: (state: WorkflowState) => T): T {
  return useStore(useServices().store, selector);
}

/** A part of this view's own state. */
export function useUi<T>(selector: (state: UiState) => T): T {
  return useStore(useServices().ui, selector);
}
