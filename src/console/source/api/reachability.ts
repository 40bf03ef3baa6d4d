// Reachability of the service as of the last request, and a probe every two seconds while it is unreachable.
import { effect, signal } from '@preact/signals';

export const online = signal(true);

const PAUSE = 2_000;

/** Runs `probe` every two seconds while the service is unreachable. */
export function keepTrying(probe: () => Promise<unknown>) {
  effect(() => {
    if (online.value) return;
    const timer = setInterval(() => void probe().catch(() => {}), PAUSE);
    return () => clearInterval(timer);
  });
}
