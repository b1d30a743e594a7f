import type { RunInput } from '../../model/types';
import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { summarise } from '../format';
import { Icon } from '../icons';
import { isRunning, shownKeys } from '../keys';
import { inputKey } from './inputs';
import { RunMenu } from './RunMenu';

/** The inputs of a run, and the button that starts and stops it. */
export function RunBar() {
  const actions = useActions();
  const inputs = useWorkflow((state) => state.inputs);
  const running = useWorkflow((state) => isRunning(state.run?.status));
  const empty = useWorkflow((state) => Object.keys(state.whole.nodes).length === 0);
  return (
    <form
      className="bz-run-bar"
      onSubmit={(event) => {
        event.preventDefault();
        if (!running) actions.run();
      }}
    >
      {inputs.map((input) => (
        <Input key={inputKey(input, inputs)} input={input} name={inputKey(input, inputs)} />
      ))}
      {running ? (
        <button
          type="button"
          className="bz-run is-stop"
          title={`Stop (${shownKeys('Mod+Enter')})`}
          onClick={() => actions.stop()}
        >
          <Icon name="stop" size={14} />
          Stop
        </button>
      ) : (
        <span className="bz-run-group">
          <button
            type="submit"
            className="bz-run"
            title={`Run the workflow (${shownKeys('Mod+Enter')})`}
            disabled={empty}
          >
            <Icon name="play" size={14} />
            Run
          </button>
          <RunMenu disabled={empty} />
        </span>
      )}
    </form>
  );
}

function Input({ input, name }: { input: RunInput; name: string }) {
  const { ui } = useServices();
  const actions = useActions();
  const value = useUi((state) => state.values[name] ?? '');
  const marked = useUi((state) => state.marked);
  const missing = marked && input.required && value === '';
  const title = input.title || name;
  return (
    <input
      className={`bz-run-input ${missing ? 'is-missing' : ''}`}
      aria-label={title}
      aria-invalid={missing}
      title={`${title} (${name})`}
      placeholder={missing ? `${title} is needed` : summarise(input.default) || title}
      value={value}
      onKeyDown={(event) => {
        // Inside a notebook, Enter never submits a form.
        if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        actions.run();
      }}
      onChange={(event) =>
        ui.setState(({ values }) => ({ values: { ...values, [name]: event.target.value } }))
      }
    />
  );
}
