import { useReactFlow } from '@xyflow/react';
import { type RefObject, useEffect } from 'react';
import type { Point } from '../model/types';
import { useActions } from './actions';
import { useServices } from './context';
import { onKey } from './keys';

/** Gives the canvas its keys, and keeps the focus inside so that they never reach the notebook. */
export function useKeyboard(root: RefObject<HTMLElement | null>): void {
  const services = useServices();
  const actions = useActions();
  const flow = useReactFlow();
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const end = new AbortController();
    const { signal } = end;
    let mouse: { x: number; y: number } | null = null;
    const pointer = () => {
      if (!mouse) return null;
      const { x, y } = flow.screenToFlowPosition(mouse);
      return { screen: [mouse.x, mouse.y] as Point, at: [Math.round(x), Math.round(y)] as Point };
    };
    /** What had the focus may be gone by now; the focus would fall to the notebook, and with it the keys. */
    const keepFocus = () =>
      setTimeout(() => {
        const { activeElement } = document;
        if (!signal.aborted && (!activeElement || activeElement === document.body)) focus(element);
      });
    element.addEventListener(
      'keydown',
      (event) => {
        if (onKey(event, services, actions, pointer)) keepFocus();
      },
      { signal },
    );
    element.addEventListener('click', keepFocus, { signal });
    element.addEventListener(
      'pointermove',
      ({ target, clientX: x, clientY: y }) => {
        mouse = target instanceof Element && target.closest('.react-flow') ? { x, y } : null;
      },
      { signal },
    );
    element.addEventListener('pointerleave', () => (mouse = null), { signal });
    element.addEventListener(
      'pointerdown',
      ({ target }) => {
        // A click on the empty canvas takes the focus from a form field or from the notebook.
        if (target instanceof Element && target.closest('.react-flow__pane')) focus(element);
      },
      { signal, capture: true },
    );
    return () => end.abort();
  }, [root, services, actions, flow]);
}

function focus(element: HTMLElement): void {
  element.focus({ preventScroll: true });
}
