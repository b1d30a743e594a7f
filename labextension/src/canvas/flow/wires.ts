import { getBezierPath, type Position } from '@xyflow/react';
import { rowAt } from '../geometry';

interface Ends {
  sourceX: number;
  sourceY: number;
  sourcePosition: Position;
  targetX: number;
  targetY: number;
  targetPosition: Position;
}

const RADIUS = 8;
const CLEAR = 12;
const LANE = 6;

/** Whether a wire leads to the left, where a curve would swing far out. */
export function leadsBack({ sourceX, targetX }: Ends): boolean {
  return targetX < sourceX;
}

/** A wire that leads to the right. */
export function curve(ends: Ends): string {
  return getBezierPath(ends)[0];
}

/**
 * A wire that leads back: along a lane above the node that it enters, each port in a lane of its own.
 *
 * @param top The upper edge of the node that it enters.
 */
export function lane({ sourceX, sourceY, targetX, targetY }: Ends, top: number): string {
  const away = CLEAR + LANE * rowAt(targetY - top);
  const [right, left, y] = [sourceX + CLEAR + RADIUS, targetX - away, top - away];
  const down = y > sourceY ? RADIUS : -RADIUS;
  return [
    `M${sourceX} ${sourceY}H${right - RADIUS}Q${right} ${sourceY} ${right} ${sourceY + down}`,
    `V${y - down}Q${right} ${y} ${right - RADIUS} ${y}`,
    `H${left + RADIUS}Q${left} ${y} ${left} ${y + RADIUS}`,
    `V${targetY - RADIUS}Q${left} ${targetY} ${left + RADIUS} ${targetY}H${targetX}`,
  ].join('');
}
