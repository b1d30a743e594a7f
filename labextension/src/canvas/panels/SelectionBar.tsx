import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { isContainer } from '../flow/sync';
import { IconButton } from '../icons';
import { shownKeys } from '../keys';

/** What can be done with the selected nodes. */
export function SelectionBar() {
  const { store } = useServices();
  const actions = useActions();
  const selected = useUi((state) => state.selected);
  const ready = useWorkflow((state) => state.phase === 'ready');
  const [id] = selected;
  const one = selected.length === 1 ? id : undefined;
  const container = useWorkflow((state) => one !== undefined && isContainer(state, one));
  const filled = useWorkflow((state) => one !== undefined && state.document.nodes[one]?.body !== undefined);
  const pinned = useWorkflow((state) => one !== undefined && state.pinned.includes(one));
  const pinnable = useWorkflow(
    ({ within, run }) => one !== undefined && within.length === 0 && run?.nodes[one]?.status === 'done',
  );
  const disabled = useWorkflow(({ document }) =>
    selected.every((each) => document.nodes[each]?.policy?.disabled),
  );
  if (!ready || id === undefined) return null;
  return (
    <div className="bz-selection" role="toolbar" aria-label="Selection">
      {container && <IconButton icon="enter" label="Open" keys="Enter" onClick={() => actions.open(id)} />}
      <IconButton
        icon="power"
        label={disabled ? 'Enable' : 'Disable: pass the node by'}
        keys="D"
        pressed={disabled}
        onClick={() => actions.toggle(selected)}
      />
      {(pinnable || pinned) && (
        <IconButton
          icon="pin"
          label={pinned ? 'Unpin: compute it again' : 'Pin the outputs of the latest run'}
          pressed={pinned}
          onClick={() => store.getState().pin(id, !pinned)}
        />
      )}
      <IconButton
        icon="fold"
        label="Make a sub-workflow of the selection"
        keys={shownKeys('Mod+G')}
        onClick={() => actions.extract()}
      />
      {filled && (
        <IconButton
          icon="unfold"
          label="Dissolve the sub-workflow"
          keys={shownKeys('Mod+Shift+G')}
          onClick={() => actions.dissolve()}
        />
      )}
    </div>
  );
}
