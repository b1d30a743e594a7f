import { type PointerEvent, useState } from 'react';
import { useServices } from './context';

const LEAST = 260;
const STEP = 40;

/** The lower edge of the canvas, which drags it higher or lower. */
export function Resizer() {
  const { ui } = useServices();
  const [from, setFrom] = useState<{ y: number; height: number } | null>(null);
  const resize = (height: number) => {
    ui.getState().root?.style.setProperty('--bz-height', `${Math.max(LEAST, Math.round(height))}px`);
  };
  // The drawer stands below the canvas and does not count.
  const heightNow = () => {
    const { root } = ui.getState();
    const drawer = root?.querySelector<HTMLElement>('.bz-drawer');
    return (root?.offsetHeight ?? LEAST) - (drawer?.offsetHeight ?? 0);
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    setFrom({ y: event.clientY, height: heightNow() });
  };
  return (
    <hr
      className="bz-resizer"
      aria-label="Height of the canvas"
      aria-orientation="horizontal"
      aria-valuenow={from?.height ?? 0}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={(event) => from && resize(from.height + event.clientY - from.y)}
      onPointerUp={() => setFrom(null)}
      onKeyDown={(event) => {
        const step = { ArrowDown: STEP, ArrowUp: -STEP }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        resize(heightNow() + step);
      }}
    />
  );
}
