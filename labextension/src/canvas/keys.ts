import type { Point } from '../model/types';
import type { Actions } from './actions';
import type { Services } from './context';

const MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

/** What the help shows, in the order of use. `Mod` is Ctrl, or Cmd on a Mac. */
export const SHORTCUTS: { keys: string[]; does: string }[] = [
  { keys: ['Tab', 'Double click'], does: 'Add a node at the cursor' },
  { keys: ['Mod+Enter'], does: 'Run or stop' },
  { keys: ['Mod+Shift+Enter'], does: 'Run to the selected node' },
  { keys: ['Mod+Z'], does: 'Undo' },
  { keys: ['Mod+Shift+Z', 'Mod+Y'], does: 'Redo' },
  { keys: ['Delete', 'Backspace'], does: 'Remove the selection' },
  { keys: ['Mod+C', 'Mod+X', 'Mod+V'], does: 'Copy, cut, paste' },
  { keys: ['Mod+D'], does: 'Duplicate' },
  { keys: ['Mod+A'], does: 'Select all' },
  { keys: ['Shift+Drag'], does: 'Select by a box' },
  { keys: ['Arrow keys'], does: 'Move the selection' },
  { keys: ['Enter'], does: 'Open the container or the settings of the selection' },
  { keys: ['Mod+G'], does: 'Make a sub-workflow of the selection' },
  { keys: ['Mod+Shift+G'], does: 'Dissolve a sub-workflow' },
  { keys: ['D'], does: 'Disable or enable the selection' },
  { keys: ['Mod+F'], does: 'Find a node' },
  { keys: ['L'], does: 'Arrange automatically' },
  { keys: ['F'], does: 'Fit into view' },
  { keys: ['N'], does: 'Add a note' },
  { keys: ['Mod+Wheel'], does: 'Zoom' },
  { keys: ['Escape'], does: 'Close, deselect, leave the container' },
  { keys: ['?'], does: 'Show these keys' },
];

export function shownKeys(keys: string): string {
  return keys.replace('Mod', MAC ? '⌘' : 'Ctrl').replaceAll('+', MAC ? ' ' : ' + ');
}

/** Where the mouse is over the canvas, null where it is not. */
export type Pointer = () => { screen: Point; at: Point } | null;

/** Handles a key pressed anywhere in the canvas; whether it meant something. */
export function onKey(event: KeyboardEvent, services: Services, actions: Actions, pointer: Pointer): boolean {
  const done = command(event, services, actions, pointer);
  if (done) {
    event.preventDefault();
    event.stopPropagation();
  }
  return done;
}

function command(event: KeyboardEvent, { store, ui }: Services, actions: Actions, pointer: Pointer): boolean {
  const mod = event.ctrlKey || event.metaKey;
  const editable = store.getState().phase === 'ready';
  if (mod && event.key === 'Enter' && editable) {
    commitDraft();
    if (isRunning(store.getState().run?.status)) actions.stop();
    else actions.run({ target: event.shiftKey ? ui.getState().selected[0] : undefined });
    return true;
  }
  if (isTyping(event.target)) return false;
  if (mod && editable) {
    switch (event.key.toLowerCase()) {
      case 'z':
        store.getState()[event.shiftKey ? 'redo' : 'undo']();
        return true;
      case 'y':
        store.getState().redo();
        return true;
      case 'd':
        actions.duplicate();
        return true;
      case 'g':
        actions[event.shiftKey ? 'dissolve' : 'extract']();
        return true;
      case 'x':
        actions.copy();
        actions.remove();
        return true;
      case 'v':
        void actions.paste(pointer()?.at);
        return true;
    }
  }
  if (mod) {
    switch (event.key.toLowerCase()) {
      case 'a':
        actions.selectAll();
        return true;
      case 'c':
        // A selected piece of text is copied as text.
        if (getSelection()?.toString()) return false;
        actions.copy();
        return true;
      case 'f':
        ui.setState({ search: true });
        return true;
    }
    return false;
  }
  if (event.altKey) return false;
  switch (event.key) {
    case 'Escape':
      return leave(ui, actions);
    case 'Enter':
      return !isControl(event.target) && enter(ui, actions);
    case 'f':
      actions.fit();
      return true;
    case '?':
      ui.setState({ help: !ui.getState().help });
      return true;
  }
  if (!editable) return false;
  switch (event.key) {
    case 'Delete':
    case 'Backspace':
      actions.remove();
      return true;
    case 'd':
      actions.toggle(ui.getState().selected);
      return true;
    case 'l':
      actions.arrange();
      return true;
    case 'n':
      actions.addNote(pointer()?.at);
      return true;
    case 'Tab':
      // Without the mouse over the canvas, Tab walks on as everywhere.
      if (event.shiftKey || isControl(event.target) || !pointer()) return false;
      ui.setState({ quickAdd: pointer() });
      return true;
  }
  return false;
}

/** What is still being typed counts for the run that starts now. */
function commitDraft(): void {
  const field = document.activeElement;
  if (!(field instanceof HTMLElement) || !isTyping(field)) return;
  field.blur();
  field.focus({ preventScroll: true });
}

function leave(ui: Services['ui'], actions: Actions): boolean {
  const { help, search, selected, selectedEdges } = ui.getState();
  if (help || search) ui.setState({ help: false, search: false });
  else if (selected.length > 0 || selectedEdges.size > 0) actions.select([]);
  else return actions.leave();
  return true;
}

/** Goes into the selected container, else to the settings of what is selected. */
function enter(ui: Services['ui'], actions: Actions): boolean {
  const [id, ...more] = ui.getState().selected;
  if (id === undefined) return false;
  if (more.length > 0 || !actions.open(id)) ui.setState({ inspector: true });
  return true;
}

export function isRunning(status: string | undefined): boolean {
  return status === 'running' || status === 'pending' || status === 'paused';
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null
  );
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, summary, a') !== null;
}
