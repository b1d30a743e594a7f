import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';
import { same } from '../model/changes';
import { LIVE, type LiveDetail } from '../model/live';
import { drawDocument } from './static';

export const MIME_TYPE = 'application/vnd.bpaz+json';
const PICTURE_MIME_TYPE = 'image/svg+xml';
export const WIDGET_MIME_TYPE = 'application/vnd.jupyter.widget-view+json';

type MimeBundle = IRenderMime.IMimeModel['data'];

/** Puts new data into the output of a notebook, so that they are saved with it. */
export type KeepOutput = (output: IRenderMime.IMimeModel, data: MimeBundle) => void;

/** Makes the renderer of a notebook's widgets, once there is one; null where there will be none. */
export type WidgetRenderers = () => Promise<IRenderMime.IRenderer | null>;

/**
 * Draws a workflow at once, and gives way to its live canvas when the kernel has one.
 *
 * The live canvas grows in a hidden sibling, so that ipywidgets' "model not found" is never seen.
 */
export class WorkflowRenderer extends Panel implements IRenderMime.IRenderer {
  private readonly drawing = new Widget();
  private live: Widget | null = null;
  private shown: unknown = null;
  private erase: (() => void) | null = null;
  private output: IRenderMime.IMimeModel | null = null;

  constructor(
    private readonly widgetRenderers: WidgetRenderers,
    private readonly keepOutput?: KeepOutput,
  ) {
    super();
    this.addClass('bz-Output');
    this.addWidget(this.drawing);
    this.node.addEventListener(LIVE, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.output = model;
    this.draw(model.data[MIME_TYPE]);
    // A live canvas runs code of the page's kernel: only for outputs that the user trusts.
    if (this.live || !model.trusted || !(WIDGET_MIME_TYPE in model.data)) return;
    const renderer = await this.widgetRenderers();
    if (!renderer) return;
    if (this.live || this.isDisposed) {
      renderer.dispose();
      return;
    }
    this.live = renderer;
    renderer.hide();
    this.addWidget(renderer);
    await renderer.renderModel(model);
  }

  handleEvent(event: Event): void {
    if (event.type !== LIVE || !this.live) return;
    event.stopPropagation();
    this.live.show();
    this.drawing.hide();
    this.clear();
    const { detail } = event as CustomEvent<LiveDetail>;
    if (this.keepOutput) detail.keep = (document, picture) => this.keep(document, picture);
    void this.drawAgain(detail);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.node.removeEventListener(LIVE, this);
    this.clear();
    super.dispose();
  }

  /** Shows what the live canvas showed last, when it is gone. */
  private async drawAgain({ ended }: LiveDetail): Promise<void> {
    const document = await ended;
    if (this.isDisposed) return;
    this.live?.hide();
    this.drawing.show();
    this.draw(document ?? this.shown);
  }

  /** Puts the workflow as it is now into the notebook's output, for when there is no kernel. */
  private keep(document: unknown, picture: string): void {
    if (this.isDisposed || !this.output || same(this.output.data[MIME_TYPE], document)) return;
    const data = { ...this.output.data, [MIME_TYPE]: document, [PICTURE_MIME_TYPE]: picture };
    this.keepOutput?.(this.output, data as MimeBundle);
  }

  private draw(value: unknown): void {
    const isDrawn = this.erase !== null && same(value, this.shown);
    this.shown = value;
    if (this.drawing.isHidden || isDrawn) return;
    this.clear();
    this.erase = drawDocument(this.drawing.node, value);
    if (!this.erase) this.drawing.node.textContent = 'This output holds no workflow that can be drawn.';
  }

  private clear(): void {
    this.erase?.();
    this.erase = null;
    this.drawing.node.textContent = '';
  }
}
