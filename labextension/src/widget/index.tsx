import { createRoot } from 'react-dom/client';
import { Canvas } from '../canvas/Canvas';

/** Draws the canvas into a cell's output; anywidget calls it once a view. */
function render({ el }: { el: HTMLElement }): () => void {
  const root = createRoot(el);
  root.render(<Canvas />);
  return () => root.unmount();
}

export default { render };
