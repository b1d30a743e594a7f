import { act, screen, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { LIVE, type LiveDetail } from '../../src/model/live';
import widget from '../../src/widget/index';
import { changed, openedWith, pair, plain } from '../model/fake';
import { TestModel } from './fake';

function place(): HTMLElement {
  return document.body.appendChild(document.createElement('div'));
}

function listenTo(el: HTMLElement): LiveDetail[] {
  const heard: LiveDetail[] = [];
  el.addEventListener(LIVE, (event) => heard.push((event as CustomEvent<LiveDetail>).detail));
  return heard;
}

test('the widget draws the workflow and takes it away again', async () => {
  const model = new TestModel();
  const el = place();
  const remove = await act(async () => widget.render({ model, el }));
  expect(model.sent).toEqual([{ type: 'open' }]);
  await act(async () => model.say('msg:custom', openedWith(pair)));
  const canvas = screen.getByRole('region', { name: 'Workflow canvas' });
  expect(canvas.dataset.lmSuppressShortcuts).toBe('true');
  expect(within(canvas).getAllByText('TextSink').length).toBeGreaterThan(0);
  await act(async () => remove());
  expect(el.textContent).toBe('');
  expect(model.listeners).toEqual([]);
});

test('two views of one model show the same', async () => {
  const model = new TestModel();
  const views = [place(), place()];
  const removes = await act(async () => views.map((el) => widget.render({ model, el })));
  await act(async () => model.say('msg:custom', openedWith(pair)));
  const title = { path: ['nodes', 'sink', 'title'], new: 'Renamed' };
  await act(async () => model.say('msg:custom', changed('', 1, [title])));
  for (const el of views) expect(within(el).getAllByText('Renamed').length).toBeGreaterThan(0);
  await act(async () => removes[0]?.());
  expect(views.map((el) => el.textContent === '')).toEqual([true, false]);
  await act(async () => removes[1]?.());
});

test('the element says that it is live once it is part of the page, and in the end what it showed last', async () => {
  const outer = place();
  const heard = listenTo(outer);
  const el = document.createElement('div');
  const model = new TestModel();
  const remove = await act(async () => widget.render({ model, el }));
  expect(heard).toEqual([]);
  outer.append(el);
  await vi.waitFor(() => expect(heard).toHaveLength(1));
  await act(async () => model.say('msg:custom', openedWith(pair)));
  await act(async () => remove());
  expect(plain(await heard[0]?.ended)).toEqual(pair);
});

test('a view that never heard of its workflow has nothing to leave', async () => {
  const el = place();
  const heard = listenTo(el);
  const remove = await act(async () => widget.render({ model: new TestModel(), el }));
  await act(async () => remove());
  expect(await heard[0]?.ended).toBeNull();
});
