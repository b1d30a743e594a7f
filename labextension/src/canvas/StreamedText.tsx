import { useLayoutEffect, useRef } from 'react';

/** Text that grows; it stays scrolled to its end unless somebody scrolled up to read. */
export function StreamedText({ text, label }: { text: string; label: string }) {
  const area = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    if (following.current && area.current && text) area.current.scrollTop = area.current.scrollHeight;
  }, [text]);
  return (
    <pre
      ref={area}
      className="bz-text nowheel nodrag nopan"
      role="log"
      aria-live="off"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled area must be reachable by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        following.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {text}
    </pre>
  );
}
