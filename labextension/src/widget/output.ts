/** The rich output area: an ipywidgets Output that the kernel fills, drawn by the notebook's own renderers. */
import type { Host } from '../model/host';
import type { Model } from './host';

/** The part of a Lumino widget that ipywidgets' views carry. */
interface LuminoWidget {
  dispose(): void;
  constructor: { attach(widget: LuminoWidget, el: HTMLElement): void };
}

interface View {
  el: HTMLElement;
  luminoWidget?: LuminoWidget;
  remove(): void;
}

interface Manager {
  get_model(id: string): Promise<unknown>;
  create_view(model: unknown): Promise<View>;
}

const REFERENCE = 'IPY_MODEL_';

/** What mounts the trait `output`; undefined where the page has no widget manager that can. */
export function outputMount(model: Model): Host['mountOutput'] {
  const reference = model.get('output');
  const manager = model.widget_manager as Partial<Manager> | undefined;
  if (typeof reference !== 'string' || !reference.startsWith(REFERENCE)) return undefined;
  if (!manager?.get_model || !manager.create_view) return undefined;
  return async (el) => {
    const { get_model, create_view } = manager as Manager;
    const view = await create_view.call(
      manager,
      await get_model.call(manager, reference.slice(REFERENCE.length)),
    );
    // The class itself is not ours to import: a second copy of Lumino would not know this widget.
    if (view.luminoWidget && el.isConnected) view.luminoWidget.constructor.attach(view.luminoWidget, el);
    else el.append(view.el);
    return () => (view.luminoWidget ? view.luminoWidget.dispose() : view.remove());
  };
}
