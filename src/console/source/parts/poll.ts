// Polling hook, paused while the tab is hidden.
import { useEffect, useRef } from 'preact/hooks';

const PAUSE = 3_000;

/**
 * Runs a function every few seconds. The pause begins when the previous run has ended, so a slow service
 * does not get more requests. `run` can check whether its result is still wanted, and handles its errors.
 */
export function useEvery(run: (isWanted: () => boolean) => Promise<void>, isOn = true, pause = PAUSE) {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!isOn) return;
    let isWanted = true;
    let timer: ReturnType<typeof setTimeout>;
    const goOn = async () => {
      if (!document.hidden) await latest.current(() => isWanted);
      if (isWanted) timer = setTimeout(goOn, pause);
    };
    void goOn();
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [isOn, pause]);
}
