import { MiniMap, Panel, useStore } from '@xyflow/react';
import { useState } from 'react';
import { useActions } from '../actions';
import { IconButton } from '../icons';

/** Above it React Flow's map costs a frame while panning: it is drawn only when asked for. */
const MOST = 200;
const ROOM = { width: 760, height: 420 };

/** Zoom buttons, and a map of the whole where there is room for one. */
export function ZoomControls() {
  const actions = useActions();
  const percent = useStore((state) => Math.round(state.transform[2] * 100));
  const roomy = useStore((state) => state.width >= ROOM.width && state.height >= ROOM.height);
  const useful = useStore((state) => state.nodes.length > 20 && state.nodes.length <= MOST);
  const [open, setOpen] = useState<boolean | null>(null);
  const map = roomy && (open ?? useful);
  return (
    <>
      {map && <MiniMap className="bz-minimap" pannable zoomable position="bottom-left" />}
      <Panel position="bottom-left" className={`bz-zoom ${map ? 'is-above' : ''}`}>
        <IconButton icon="minus" label="Zoom out" onClick={() => actions.zoom(1 / 1.25)} />
        <button
          type="button"
          className="bz-zoom-level"
          title="Fit the workflow into view"
          onClick={() => actions.fit()}
        >
          {percent}%
        </button>
        <IconButton icon="plus" label="Zoom in" onClick={() => actions.zoom(1.25)} />
        {roomy && (
          <IconButton
            icon="panelBottom"
            label={map ? 'Hide the map' : 'Show the map'}
            pressed={map}
            onClick={() => setOpen(!map)}
          />
        )}
      </Panel>
    </>
  );
}
