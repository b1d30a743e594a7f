import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

/** What JupyterLab and Notebook 7 load at startup. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'bpaz-lab:plugin',
  description: 'Draws workflows in notebooks',
  autoStart: true,
  activate: () => undefined,
};

export default plugin;
