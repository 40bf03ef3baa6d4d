// Polling hook, paused while the tab is hidden.
import { useEffect, useRef } from 'preact/hooks';

const PAUSE = 3_000;

/**
 * Runs it every few seconds, a pause after the last time was over: a slow service is not asked the
 * faster. `run` is told whether anybody still wants it, and has to know what to do about a failure.
 */
export function useEvery(run: (isWanted: () => boolean) => Promise<void>, isOn = true) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!isOn) return;
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout>;
    const goOn = async () => {
      // Nobody looks at a tab in the background.
      if (!document.hidden) await latest.current(() => isWanted);
      if (isWanted) timer = setTimeout(goOn, PAUSE);
    };
    void goOn();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [isOn]);
}
