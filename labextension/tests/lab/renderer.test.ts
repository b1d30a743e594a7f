import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { act, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { WorkflowRenderer as Renderer, WidgetRenderers } from '../../src/lab/renderer';
import { LIVE, type LiveDetail } from '../../src/model/live';
import type { Document } from '../../src/model/types';
import { documentOf, pair } from '../model/fake';

// Lumino's drag and drop extends a class that jsdom lacks.
globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
const { Widget } = await import('@lumino/widgets');
const { MIME_TYPE, WIDGET_MIME_TYPE, WorkflowRenderer } = await import('../../src/lab/renderer');

/** A renderer of ipywidgets, as far as it matters: hidden text, and later perhaps a live canvas. */
class WidgetRenderer extends Widget implements IRenderMime.IRenderer {
  async renderModel(): Promise<void> {
    this.node.textContent = 'Error displaying widget: model not found';
  }

  comeAlive(): (document: Document | null) => void {
    this.node.textContent = 'the live canvas';
    let end: (document: Document | null) => void = () => undefined;
    const ended = new Promise<Document | null>((resolve) => {
      end = resolve;
    });
    this.node.dispatchEvent(new CustomEvent<LiveDetail>(LIVE, { bubbles: true, detail: { ended } }));
    return end;
  }
}

const opened: Renderer[] = [];
afterEach(() => {
  for (const renderer of opened.splice(0)) act(() => renderer.dispose());
});

function modelOf(data: Record<string, unknown>, trusted = true): IRenderMime.IMimeModel {
  return { data, trusted, metadata: {}, setData: () => undefined } as IRenderMime.IMimeModel;
}

const whole = { [MIME_TYPE]: pair, [WIDGET_MIME_TYPE]: { model_id: '42' } };

async function rendered(model: IRenderMime.IMimeModel, widgets: WidgetRenderers) {
  const renderer = new WorkflowRenderer(widgets);
  opened.push(renderer);
  Widget.attach(renderer, document.body);
  await act(() => renderer.renderModel(model));
  const [drawing, live] = renderer.widgets;
  if (!drawing) throw new Error('there is always a drawing');
  return { renderer, drawing, live, text: () => drawing.node.textContent };
}

test('without a kernel the workflow is drawn from the document', async () => {
  const { drawing, live } = await rendered(modelOf(whole), async () => null);
  expect(within(drawing.node).getAllByText('TextSink').length).toBeGreaterThan(0);
  expect(live).toBeUndefined();
});

test('a model that is not found is never seen', async () => {
  const { drawing, live } = await rendered(modelOf(whole), async () => new WidgetRenderer());
  expect(live?.isHidden).toBe(true);
  expect(drawing.isHidden).toBe(false);
});

test('a live canvas takes over; when it is gone, what it showed last is drawn', async () => {
  const widget = new WidgetRenderer();
  const { drawing, text } = await rendered(modelOf(whole), async () => widget);
  let end: ReturnType<WidgetRenderer['comeAlive']> = () => undefined;
  await act(async () => {
    end = widget.comeAlive();
  });
  expect([widget.isHidden, drawing.isHidden, text()]).toEqual([false, true, '']);
  const last = documentOf({ nodes: { only: { type: 'LastSeen', version: 1, settings: {} } } });
  await act(async () => end(last));
  expect([widget.isHidden, drawing.isHidden]).toEqual([true, false]);
  expect(within(drawing.node).getAllByText('LastSeen').length).toBeGreaterThan(0);
});

test('a live canvas that ends without a word gives the document back', async () => {
  const widget = new WidgetRenderer();
  const { drawing } = await rendered(modelOf(whole), async () => widget);
  await act(async () => widget.comeAlive()(null));
  expect(within(drawing.node).getAllByText('TextSink').length).toBeGreaterThan(0);
});

test('an update of the output does not disturb a live canvas, and is drawn when that ends', async () => {
  const widget = new WidgetRenderer();
  const { renderer, drawing } = await rendered(modelOf(whole), async () => widget);
  let end: ReturnType<WidgetRenderer['comeAlive']> = () => undefined;
  await act(async () => {
    end = widget.comeAlive();
  });
  const other = documentOf({ nodes: { only: { type: 'Another', version: 1, settings: {} } } });
  await act(() => renderer.renderModel(modelOf({ ...whole, [MIME_TYPE]: other })));
  expect([widget.isHidden, drawing.isHidden]).toEqual([false, true]);
  await act(async () => end(null));
  expect(within(drawing.node).getAllByText('Another').length).toBeGreaterThan(0);
});

test('an output that is not trusted, or holds no widget, never asks for one', async () => {
  const widgets = vi.fn(async () => new WidgetRenderer());
  await rendered(modelOf(whole, false), widgets);
  await rendered(modelOf({ [MIME_TYPE]: pair }), widgets);
  expect(widgets).not.toHaveBeenCalled();
});

test('rendering again draws the new document and mounts no second widget', async () => {
  const widgets = vi.fn(async () => new WidgetRenderer());
  const { renderer, drawing } = await rendered(modelOf(whole), widgets);
  const other = documentOf({ nodes: { only: { type: 'Another', version: 1, settings: {} } } });
  await act(() => renderer.renderModel(modelOf({ ...whole, [MIME_TYPE]: other })));
  expect(within(drawing.node).getAllByText('Another').length).toBeGreaterThan(0);
  expect(within(drawing.node).queryByText('TextSink')).toBeNull();
  expect(widgets).toHaveBeenCalledOnce();
});

test.each([null, 'text', { bpaz: 99 }])('what is no workflow (%j) is said in words', async (value) => {
  const { text } = await rendered(modelOf({ [MIME_TYPE]: value }), async () => null);
  expect(text()).toBe('This output holds no workflow that can be drawn.');
});

test('text of a document is text', async () => {
  const hostile = '<img src=x onerror="globalThis.hacked = true">';
  const nodes = { a: { type: hostile, version: 1, settings: { x: hostile }, title: hostile } };
  const notes = { n: { text: hostile, at: [0, 0] as [number, number] } };
  const { drawing } = await rendered(
    modelOf({ [MIME_TYPE]: documentOf({ nodes, notes }) }),
    async () => null,
  );
  expect(drawing.node.textContent).toContain(hostile);
  expect(drawing.node.querySelector('img')).toBeNull();
});

test('a renderer that is gone takes in no widget', async () => {
  let give: (renderer: IRenderMime.IRenderer) => void = () => undefined;
  const widgets = () =>
    new Promise<IRenderMime.IRenderer>((resolve) => {
      give = resolve;
    });
  const renderer = new WorkflowRenderer(widgets);
  Widget.attach(renderer, document.body);
  const done = renderer.renderModel(modelOf(whole));
  act(() => renderer.dispose());
  give(new WidgetRenderer());
  await done;
  expect(renderer.isDisposed).toBe(true);
  expect(document.body.textContent).toBe('');
});
