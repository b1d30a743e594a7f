import { mountCanvas } from '../canvas/index';
import { LIVE, type LiveDetail } from '../model/live';
import { createWorkflowStore } from '../model/store';
import type { Document } from '../model/types';
import { CommHost, type Model } from './host';
import { keepUpToDate } from './keep';

/** Draws the canvas into a cell's output; anywidget calls it once a view. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const host = new CommHost(model);
  const store = createWorkflowStore(host);
  const unmount = mountCanvas(el, store, host);
  let end: (document: Document | null) => void = () => undefined;
  const ended = new Promise<Document | null>((resolve) => {
    end = resolve;
  });
  let stop = () => {};
  const forget = onceConnected(el, () => {
    const detail: LiveDetail = { ended };
    el.dispatchEvent(new CustomEvent<LiveDetail>(LIVE, { bubbles: true, detail }));
    if (detail.keep) stop = keepUpToDate(host, store, detail.keep);
  });
  return () => {
    forget();
    stop();
    const { revision, document } = store.getState();
    end(revision < 0 ? null : document);
    host.close();
    unmount();
  };
}

/** Acts when the element is part of the page: a view is drawn before it is put there. */
function onceConnected(el: HTMLElement, act: () => void): () => void {
  let frame = 0;
  const look = () => {
    if (el.isConnected) act();
    else frame = requestAnimationFrame(look);
  };
  look();
  return () => cancelAnimationFrame(frame);
}

export default { render };
