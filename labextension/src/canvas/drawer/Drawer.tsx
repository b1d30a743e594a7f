import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RunView } from '../../model/state';
import { useActions } from '../actions';
import { useServices, useUi, useWorkflow } from '../context';
import { IconButton } from '../icons';
import { StreamedText } from '../StreamedText';
import type { Tab } from '../ui';
import { Timeline } from './Timeline';

/** What the run gives, and the value of any output in full. */
export function Drawer() {
  const { ui, host } = useServices();
  const shown = useWorkflow((state) => state.shown);
  const section = useRef<HTMLElement>(null);
  const tab = useUi((state) => state.tab);
  const setTab = (next: Tab) => ui.setState({ tab: next });
  useEffect(() => {
    if (shown) ui.setState({ tab: 'value' });
    // It opens below the canvas, which may be below the page.
    section.current?.scrollIntoView?.({ block: 'nearest' });
  }, [shown, ui]);
  return (
    <section ref={section} className="bz-drawer" aria-label="Output">
      <div className="bz-drawer-head" role="tablist">
        <TabButton tab="run" open={tab} onOpen={setTab} title="Output of the run" />
        <TabButton
          tab="value"
          open={tab}
          onOpen={setTab}
          title={shown ? `${shown.node}.${shown.port}` : 'Value of a port'}
        />
        <TabButton tab="timeline" open={tab} onOpen={setTab} title="Timeline" />
        <span className="bz-grow" />
        <IconButton icon="close" label="Close the output" onClick={() => ui.setState({ drawer: false })} />
      </div>
      <div className="bz-drawer-body" hidden={tab !== 'run'}>
        <RunOutput />
      </div>
      <div className="bz-drawer-body" hidden={tab !== 'value'}>
        {!shown && <p className="bz-empty-line">Press the eye beside an output to see its value here.</p>}
        {shown && (host.mountOutput ? <OutputArea /> : <PlainValue node={shown.node} port={shown.port} />)}
      </div>
      {tab === 'timeline' && (
        <div className="bz-drawer-body">
          <Timeline />
        </div>
      )}
    </section>
  );
}

interface TabButtonProps {
  tab: Tab;
  open: Tab;
  onOpen: (tab: Tab) => void;
  title: string;
}

function TabButton({ tab, open, onOpen, title }: TabButtonProps) {
  return (
    <button
      type="button"
      role="tab"
      className="bz-tab"
      aria-selected={tab === open}
      onClick={() => onOpen(tab)}
    >
      {title}
    </button>
  );
}

/** The output as it streams, then as it is; where the run failed, why. */
function RunOutput() {
  const run = useWorkflow((state) => state.run);
  const actions = useActions();
  if (!run) return <p className="bz-empty-line">Run the workflow to see its output here.</p>;
  const text = fullText(run.output?.text, streaming(run));
  const culprit = failed(run);
  return (
    <>
      {run.error && (
        <div className="bz-strip is-error" role="alert">
          <div>
            <p>
              {run.error.path && <code>{run.error.path}</code>} {run.error.message}
            </p>
            {run.error.hint && <p className="bz-strip-hint">{run.error.hint}</p>}
            {culprit !== undefined && (
              <button type="button" className="bz-link" onClick={() => actions.revealPlace(culprit)}>
                Show the node
              </button>
            )}
          </div>
        </div>
      )}
      {text && <StreamedText text={text} label="Output of the run" />}
      {!text && !run.error && <p className="bz-empty-line">No output yet.</p>}
    </>
  );
}

/** The text that the last streaming node has given so far. */
function streaming(run: RunView): string {
  const texts = Object.values(run.places).flatMap(({ text }) => Object.values(text));
  return texts.filter(Boolean).at(-1) ?? '';
}

/** A preview is cut off; where it is the beginning of what was streamed, that is the whole. */
export function fullText(preview: string | undefined, streamed: string): string {
  if (preview === undefined) return streamed;
  return streamed.startsWith(preview.replace(/…$/, '')) ? streamed : preview;
}

function failed(run: RunView): string | undefined {
  const places = Object.keys(run.places).filter((place) => run.places[place]?.status === 'failed');
  // The innermost is where it happened; its containers failed with it.
  return places.sort((one, other) => other.split('/').length - one.split('/').length)[0];
}

function PlainValue({ node, port }: { node: string; port: string }) {
  const preview = useWorkflow((state) => state.run?.places[node]?.outputs[port]);
  return preview ? <StreamedText text={preview.text} label={`${node}.${port}`} /> : null;
}

/** The host's own area, in which values appear as in any cell. */
function OutputArea() {
  const { host } = useServices();
  const area = useRef<HTMLDivElement>(null);
  const [trouble, setTrouble] = useState('');
  // Before the element leaves the page: a notebook's widget cannot be taken down afterwards.
  useLayoutEffect(() => {
    let [gone, unmount] = [false, () => {}];
    if (!area.current) return;
    host
      .mountOutput?.(area.current)
      .then((undo) => {
        if (gone) undo();
        else unmount = undo;
      })
      .catch((error: unknown) => setTrouble(`The output area cannot be shown: ${error}`));
    return () => {
      gone = true;
      unmount();
    };
  }, [host]);
  return (
    <>
      {trouble && <p className="bz-empty-line">{trouble}</p>}
      <div ref={area} className="bz-output-area" />
    </>
  );
}
