import { type NodeHandle, Position } from '@xyflow/react';
import type { Ports } from '../model/types';

/** Sizes in pixels that the style sheet keeps to (style/node.css). */
export const WIDTH = 224;
const HEADER = 38;
const PADDING = 6;
const ROW = 24;
const LINE = 18;
const LINES_PADDING = 12;
const HANDLE = 10;
/** What shows the body of a container. */
export const BODY = 92;

/** The size of a node before any run, until it is measured. */
export function estimatedSize(ports: Ports, settingLines = 0): { width: number; height: number } {
  const rows = Math.max(ports.inputs.length, ports.outputs.length);
  const height = HEADER + (rows ? rows * ROW + 2 * PADDING : 0);
  return { width: WIDTH, height: height + (settingLines ? settingLines * LINE + LINES_PADDING : 0) };
}

/**
 * Where the handles are. Ports come first in a node, so their places do not depend on what is below;
 * React Flow can thus draw edges to nodes that it has never rendered.
 */
export function estimatedHandles(ports: Ports): NodeHandle[] {
  const place = (index: number) => HEADER + PADDING + index * ROW + (ROW - HANDLE) / 2;
  const size = { width: HANDLE, height: HANDLE };
  const inputs = ports.inputs.map((port, index) => ({ port, y: place(index) }));
  return [
    ...inputs
      .filter(({ port }) => port.source === 'wire')
      .map(({ port, y }) => ({
        id: port.name,
        type: 'target' as const,
        position: Position.Left,
        x: -HANDLE / 2,
        y,
        ...size,
      })),
    ...ports.outputs.map((port, index) => ({
      id: port.name,
      type: 'source' as const,
      position: Position.Right,
      x: WIDTH - HANDLE / 2,
      y: place(index),
      ...size,
    })),
  ];
}

/** The row of ports at a distance below the upper edge of a node. */
export function rowAt(below: number): number {
  return Math.max(0, Math.round((below - HEADER - PADDING - ROW / 2) / ROW));
}
