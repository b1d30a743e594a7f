interface TitleBoxProps {
  className: string;
  box: { width: number; height: number };
  title: string;
}

/** A node seen from far away: a box of the same size with its title only. */
export function TitleBox({ className, box, title }: TitleBoxProps) {
  return (
    <div className={`${className} bz-node-far`} style={box}>
      <span>{title}</span>
    </div>
  );
}
