import { memo } from 'react';
import { split } from '../../model/document';
import type { Body } from '../../model/types';
import { useWorkflow } from '../context';
import { WIDTH } from '../geometry';
import { placed } from '../layout';

const BOX = { width: WIDTH, height: 110 };
const VIEW = { width: 204, height: 56 };

/** The nodes and edges of a body, drawn small. */
export const MiniBody = memo(function MiniBody({ body }: { body: Body }) {
  const name = useWorkflow((state) => state.whole.name);
  const places = placed({ bpaz: 1, name, ...body }, () => BOX);
  const points = Object.values(places);
  const [left, top] = [Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y))];
  const width = Math.max(...points.map(([x]) => x)) + BOX.width - left;
  const height = Math.max(...points.map(([, y]) => y)) + BOX.height - top;
  const scale = Math.min(VIEW.width / width, VIEW.height / height, 0.25);
  const [dx, dy] = [(VIEW.width - width * scale) / 2, (VIEW.height - height * scale) / 2];
  const at = (id: string) => {
    const [x, y] = places[id] ?? [left, top];
    return [dx + (x - left) * scale, dy + (y - top) * scale] as const;
  };
  const [w, h] = [BOX.width * scale, BOX.height * scale];
  return (
    <svg className="bz-mini" viewBox={`0 0 ${VIEW.width} ${VIEW.height}`} aria-hidden="true">
      {body.edges.map(([source, target]) => {
        const [[x1, y1], [x2, y2]] = [at(split(source)[0]), at(split(target)[0])];
        const path = `M${x1 + w} ${y1 + h / 2}C${x1 + w + 8} ${y1 + h / 2} ${x2 - 8} ${y2 + h / 2} ${x2} ${y2 + h / 2}`;
        return <path key={`${source}->${target}`} d={path} />;
      })}
      {Object.keys(body.nodes).map((id) => {
        const [x, y] = at(id);
        return <rect key={id} x={x} y={y} width={w} height={h} rx={Math.min(3, h / 4)} />;
      })}
    </svg>
  );
});
