import { useEffect, useState } from 'react';

/** Seconds since a moment (milliseconds since 1970), ten times a second; undefined where none is given. */
export function useElapsed(since: number | undefined): number | undefined {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (since === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [since]);
  return since === undefined ? undefined : Math.max(0, (now - since) / 1000);
}
