import { expect, test } from 'vitest';
import { outputMount } from '../../src/widget/output';
import { TestModel } from './fake';

/** As ipywidgets' views carry it: the way to attach is a static method of the widget's class. */
class LuminoWidget {
  static attached: [LuminoWidget, HTMLElement][] = [];
  static attach(widget: LuminoWidget, el: HTMLElement): void {
    LuminoWidget.attached.push([widget, el]);
    el.append(widget.node);
  }
  constructor(readonly node: HTMLElement) {}
  dispose(): void {
    this.node.remove();
  }
}

function modelWith(makeView: (el: HTMLElement) => object): TestModel {
  const model = new TestModel({ output: 'IPY_MODEL_42' });
  model.widget_manager = {
    get_model: async (id: string) => ({ id }),
    create_view: async ({ id }: { id: string }) => {
      const el = document.createElement('output');
      el.textContent = `view of ${id}`;
      return { el, remove: () => el.remove(), ...makeView(el) };
    },
  };
  return model;
}

test('the output of the kernel is attached the way Lumino wants it, and taken away', async () => {
  const mount = outputMount(modelWith((el) => ({ luminoWidget: new LuminoWidget(el) })));
  const area = document.body.appendChild(document.createElement('div'));
  const unmount = await mount?.(area);
  expect(area.textContent).toBe('view of 42');
  expect(LuminoWidget.attached[0]?.[1]).toBe(area);
  unmount?.();
  expect(area.textContent).toBe('');
});

test('a view without Lumino is put there plainly', async () => {
  const mount = outputMount(modelWith(() => ({})));
  const area = document.createElement('div');
  const unmount = await mount?.(area);
  expect(area.textContent).toBe('view of 42');
  unmount?.();
  expect(area.textContent).toBe('');
});

test.each([undefined, 5, 'something else'])('without an output (%j) there is nothing to mount', (output) => {
  const model = modelWith(() => ({}));
  expect(
    outputMount(Object.assign(new TestModel({ output }), { widget_manager: model.widget_manager })),
  ).toBeUndefined();
});

test('without a manager that makes views there is nothing to mount', () => {
  expect(outputMount(new TestModel({ output: 'IPY_MODEL_42' }))).toBeUndefined();
});
