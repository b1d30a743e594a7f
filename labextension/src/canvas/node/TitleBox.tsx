import type { Ports } from '../../model/types';
import { estimatedHandles } from '../geometry';

interface TitleBoxProps {
  id: string;
  className: string;
  box: { width: number; height: number };
  title: string;
  ports: Ports;
}

/** A node seen from far away: a box of the same size with its title; bare handles keep the edges in place. */
export function TitleBox({ id, className, box, title, ports }: TitleBoxProps) {
  return (
    <div className={`${className} bz-node-far`} style={box}>
      <span>{title}</span>
      {estimatedHandles(ports).map(({ id: port, type, position, x, y, width, height }) => (
        <i
          key={`${type} ${port}`}
          className={type}
          data-nodeid={id}
          data-handleid={port}
          data-handlepos={position}
          style={{ left: x, top: y, width, height }}
        />
      ))}
    </div>
  );
}
