import { useEffect, useRef } from 'react';
import { useServices, useUi, useWorkflow } from './context';
import { Drawer } from './drawer/Drawer';
import { Flow } from './flow/Flow';
import { Inspector } from './inspector/Inspector';
import { ListView } from './ListView';
import { Messages } from './Messages';
import { Breadcrumb } from './panels/Breadcrumb';
import { Palette } from './panels/Palette';
import { Questions } from './panels/Questions';
import { QuickAdd } from './panels/QuickAdd';
import { Search } from './panels/Search';
import { SelectionBar } from './panels/SelectionBar';
import { ShortcutHelp } from './panels/ShortcutHelp';
import { Resizer } from './Resizer';
import { tagLook } from './tags';
import { RunProgress } from './toolbar/RunProgress';
import { Toolbar } from './toolbar/Toolbar';
import { NARROW, WIDE } from './ui';
import { useKeyboard } from './useKeyboard';

/** The whole canvas: toolbar, palette, workflow, inspector, output. */
export function App() {
  const { ui } = useServices();
  const root = useRef<HTMLElement>(null);
  useWidth(root);
  useKeyboard(root);
  const width = useUi((state) => state.width);
  const phase = useWorkflow((state) => state.phase);
  const palette = useUi((state) => state.palette) && phase === 'ready';
  const inspected = useUi(({ inspector, selected }) =>
    inspector && selected.length === 1 ? selected[0] : undefined,
  );
  const drawer = useUi((state) => state.drawer);
  const dragColor = useDragColor();
  const size = width >= WIDE ? 'is-wide' : width < NARROW ? 'is-narrow' : '';
  return (
    <section
      ref={root}
      className={`bz-root ${size} ${drawer ? 'has-drawer' : ''} ${dragColor}`}
      aria-label="Workflow canvas"
      data-lm-suppress-shortcuts="true"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keys belong to the canvas while it has the focus
      tabIndex={0}
      onFocus={() => ui.setState({ focused: true })}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) ui.setState({ focused: false });
      }}
    >
      <Toolbar />
      <RunProgress />
      <div className="bz-main">
        {palette && <Palette />}
        <div className="bz-stage">
          <Flow />
          <Breadcrumb />
          <Messages />
          <SelectionBar />
          <Questions />
          <Search />
          {inspected && <Inspector id={inspected} />}
        </div>
      </div>
      {drawer && <Drawer />}
      <QuickAdd />
      <ShortcutHelp />
      <ListView />
      <Resizer />
    </section>
  );
}

/** Opens and closes panels as the canvas first finds out how much room it has. */
function useWidth(root: React.RefObject<HTMLElement | null>): void {
  const { ui } = useServices();
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    ui.setState({ root: element });
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      const first = ui.getState().width === 0 && width > 0;
      ui.setState({ width, ...(first && { palette: width >= NARROW, inspector: width >= WIDE }) });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [root, ui]);
}

/** The colour of the wire that is being drawn. */
function useDragColor(): string {
  const { store } = useServices();
  const loose = useUi((state) => state.connecting);
  if (!loose) return '';
  const { portsOf, catalogue } = store.getState();
  const { inputs, outputs } = portsOf(loose.node);
  const port = (loose.side === 'source' ? outputs : inputs).find(({ name }) => name === loose.port);
  return `is-connecting bz-color-${tagLook(catalogue, port?.tag ?? 'any').color}`;
}
