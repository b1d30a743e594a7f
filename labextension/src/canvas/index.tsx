import { ReactFlowProvider } from '@xyflow/react';
import { createRoot } from 'react-dom/client';
import type { StoreApi } from 'zustand/vanilla';
import type { Host } from '../model/host';
import type { WorkflowState } from '../model/state';
import { App } from './App';
import { ServicesProvider } from './context';
import { createUiStore } from './ui';

/**
 * Draws a workflow into an element until the returned function is called.
 *
 * @example
 * const unmount = mountCanvas(el, createWorkflowStore(host), host);
 */
export function mountCanvas(el: HTMLElement, store: StoreApi<WorkflowState>, host: Host): () => void {
  const root = createRoot(el);
  root.render(
    <ServicesProvider services={{ store, host, ui: createUiStore() }}>
      <ReactFlowProvider>
        <App />
      </ReactFlowProvider>
    </ServicesProvider>,
  );
  return () => root.unmount();
}
