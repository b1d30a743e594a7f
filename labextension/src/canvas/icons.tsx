/** Outlines in a 24 x 24 box, drawn with a stroke, as the categories of the catalogue have them. */
const PATHS = {
  play: 'M7 4.5v15l12-7.5z',
  playTo: 'M5 5v14l9-7zM19 5v14',
  stop: 'M6.5 6.5h11v11h-11z',
  undo: 'M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3',
  redo: 'm15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3',
  layout: 'M3 9h5v6H3zM16 3h5v6h-5zM16 15h5v6h-5zM8 12h4M16 6h-4v12h4',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M9 9h6v6H9z',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21',
  panelLeft: 'M3 4h18v16H3zM9 4v16M5.5 8h1M5.5 11h1',
  panelRight: 'M3 4h18v16H3zM15 4v16M17.5 8h1M17.5 11h1',
  panelBottom: 'M3 4h18v16H3zM3 14h18',
  expand: 'M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.3a2.6 2.6 0 0 1 5 .9c0 1.7-2.5 2.3-2.5 3.8M12 17h.01',
  eye: 'M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z',
  close: 'M6 6l12 12M18 6 6 18',
  chevron: 'm9 6 6 6-6 6',
  warning: 'M12 3.5 2.5 20h19zM12 10v4.5M12 17.2h.01',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  skip: 'M6 6l7 6-7 6zM17 6v12',
  reset: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5',
  note: 'M4 4h16v10l-6 6H4zM14 20v-6h6',
  cached: 'M13 3 5 14h6l-1 7 8-11h-6z',
  node: 'M4 7h16v10H4zM4 12H2M22 12h-2',
  wait: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2',
  enter: 'M5 12h13M13 6l6 6-6 6',
  hand: 'M4 5h16v11H9l-5 4zM12 8v3M12 13.2h.01',
  pin: 'M9 3h6l-1 6 4 4H6l4-4zM12 13v8',
  power: 'M12 3v9M6.5 6.5a8 8 0 1 0 11 0',
  fold: 'M3 8V4h4M17 4h4v4M21 16v4h-4M7 20H3v-4M8 9h8v6H8z',
  unfold: 'M8 3v5H3M16 3v5h5M8 21v-5H3M16 21v-5h5',
  timeline: 'M3 4v16h18M7 8h6M10 12h7M14 16h5',
  fresh: 'M20 12a8 8 0 1 1-2.6-5.9M20 4v4.5h-4.5',
  down: 'm6 9 6 6 6-6',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, path, size = 16 }: { name?: IconName; path?: string; size?: number }) {
  return (
    <svg
      className="bz-icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={path ?? PATHS[name ?? 'node']} />
    </svg>
  );
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  /** The keys that do the same, shown in the tooltip. */
  keys?: string;
}

export function IconButton({ icon, label, onClick, disabled, pressed, keys }: IconButtonProps) {
  return (
    <button
      type="button"
      className="bz-icon-button nodrag nopan"
      aria-label={label}
      aria-pressed={pressed}
      title={keys ? `${label} (${keys})` : label}
      disabled={disabled}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <Icon name={icon} />
    </button>
  );
}
