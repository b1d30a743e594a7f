import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { keeper, type NotebookCells } from './keep';
import {
  type KeepOutput,
  MIME_TYPE,
  WIDGET_MIME_TYPE,
  type WidgetRenderers,
  WorkflowRenderer,
} from './renderer';

/** In a notebook before ipywidgets, whose renderer has rank -10: here both are drawn. */
const NOTEBOOK_RANK = -20;
/** Elsewhere behind it: a console draws the live canvas, and what is not trusted or has no kernel the document. */
const ELSEWHERE_RANK = -5;
/** How often and how long to look for the widgets of a kernel that has just started, in milliseconds. */
const PAUSE = 100;
const PATIENCE = 5_000;

/** The parts of a notebook panel that are needed here; the whole package is not. */
interface NotebookPanel {
  content: { rendermime: IRenderMimeRegistry } & NotebookCells;
  sessionContext: { ready: Promise<void> };
}

/** What JupyterLab and Notebook 7 load at startup. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'bpaz-lab:plugin',
  description: 'Draws workflows in notebooks',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    const noWidgets = async () => null;
    rendermime.addFactory(factory(noWidgets), ELSEWHERE_RANK);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew(panel) {
        const { content, sessionContext } = panel as unknown as NotebookPanel;
        const widgets = widgetRenderers(content.rendermime, rendermime, sessionContext.ready);
        content.rendermime.addFactory(factory(widgets, keeper(content)), NOTEBOOK_RANK);
      },
    } satisfies DocumentRegistry.WidgetExtension);
  },
};

export default plugin;

function factory(widgets: WidgetRenderers, keep?: KeepOutput): IRenderMime.IRendererFactory {
  return { safe: true, mimeTypes: [MIME_TYPE], createRenderer: () => new WorkflowRenderer(widgets, keep) };
}

/**
 * The renderers of a notebook's widgets.
 *
 * ipywidgets registers its renderer twice: once for the application, which waits for a kernel, and once
 * for each notebook when its kernel is ready, bound to that kernel. Only the second kind draws anything here.
 */
function widgetRenderers(
  notebook: IRenderMimeRegistry,
  application: IRenderMimeRegistry,
  ready: Promise<void>,
): WidgetRenderers {
  const isBound = () => notebook.getFactory(WIDGET_MIME_TYPE) !== application.getFactory(WIDGET_MIME_TYPE);
  return async () => {
    await ready;
    for (let waited = 0; !isBound() && waited < PATIENCE; waited += PAUSE) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    return isBound() ? notebook.createRenderer(WIDGET_MIME_TYPE) : null;
  };
}
