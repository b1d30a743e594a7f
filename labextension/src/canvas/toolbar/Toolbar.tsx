import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { IconButton } from '../icons';
import { shownKeys } from '../keys';
import { RunBar } from './RunBar';

/** All that the canvas can do, in one line. */
export function Toolbar() {
  const { ui, store } = useServices();
  const actions = useActions();
  const ready = useWorkflow((state) => state.phase === 'ready');
  const canUndo = useWorkflow((state) => state.canUndo);
  const canRedo = useWorkflow((state) => state.canRedo);
  const empty = useWorkflow((state) => Object.keys(state.document.nodes).length === 0);
  const name = useWorkflow((state) => state.document.name);
  const { palette, inspector, drawer } = usePanels();
  return (
    <div className="bz-toolbar" role="toolbar" aria-label="Workflow">
      {ready && (
        <div className="bz-tools">
          <IconButton
            icon="panelLeft"
            label="Palette"
            pressed={palette}
            onClick={() => ui.setState({ palette: !palette })}
          />
          <span className="bz-separator" />
          <IconButton
            icon="undo"
            label="Undo"
            keys={shownKeys('Mod+Z')}
            disabled={!canUndo}
            onClick={() => store.getState().undo()}
          />
          <IconButton
            icon="redo"
            label="Redo"
            keys={shownKeys('Mod+Shift+Z')}
            disabled={!canRedo}
            onClick={() => store.getState().redo()}
          />
          <IconButton
            icon="layout"
            label="Arrange"
            keys="L"
            disabled={empty}
            onClick={() => actions.arrange()}
          />
          <IconButton icon="note" label="Add a note" keys="N" onClick={() => actions.addNote()} />
        </div>
      )}
      {ready ? <RunBar /> : <span className="bz-name">{name}</span>}
      <div className="bz-tools is-end">
        <IconButton
          icon="fit"
          label="Fit into view"
          keys="F"
          disabled={empty}
          onClick={() => actions.fit()}
        />
        <IconButton
          icon="search"
          label="Find a node"
          keys={shownKeys('Mod+F')}
          disabled={empty}
          onClick={() => ui.setState({ search: true })}
        />
        <IconButton icon="expand" label="Full screen" onClick={() => toggleFullScreen(ui.getState().root)} />
        <IconButton
          icon="help"
          label="Keyboard shortcuts"
          keys="?"
          onClick={() => ui.setState({ help: true })}
        />
        <span className="bz-separator" />
        {ready && (
          <IconButton
            icon="panelBottom"
            label="Output"
            pressed={drawer}
            onClick={() => ui.setState({ drawer: !drawer })}
          />
        )}
        <IconButton
          icon="panelRight"
          label="Inspector"
          pressed={inspector}
          onClick={() => ui.setState({ inspector: !inspector })}
        />
      </div>
    </div>
  );
}

function usePanels() {
  const palette = useUi((state) => state.palette);
  const inspector = useUi((state) => state.inspector);
  const drawer = useUi((state) => state.drawer);
  return { palette, inspector, drawer };
}

function toggleFullScreen(root: HTMLElement | null): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  // Some hosts (an iframe without the permission) refuse; the canvas then stays as it is.
  else void root?.requestFullscreen?.().catch(() => undefined);
}
