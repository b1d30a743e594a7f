import { useServices, useUi } from '../context';
import { IconButton } from '../icons';
import { SHORTCUTS, shownKeys } from '../keys';

/** All keys of the canvas. */
export function ShortcutHelp() {
  const { ui } = useServices();
  const open = useUi((state) => state.help);
  if (!open) return null;
  return (
    <div className="bz-help" role="dialog" aria-label="Keyboard shortcuts">
      <div className="bz-panel-head">
        <h2>Keyboard shortcuts</h2>
        <IconButton icon="close" label="Close the shortcuts" onClick={() => ui.setState({ help: false })} />
      </div>
      <div className="bz-keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={does}>
            <span>{does}</span>
            <span className="bz-key-names">
              {keys.map((key) => (
                <kbd key={key}>{shownKeys(key)}</kbd>
              ))}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
