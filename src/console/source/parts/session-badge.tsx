// Badge of a session's state, and the text for its device.
import type { ClientFragment, EndReason, SessionState } from '../api/generated';
import { texts } from '../texts';

/** Browser and operating system of a client, or else its device type. */
export function device({ browser, os, device }: Pick<ClientFragment, 'browser' | 'os' | 'device'>): string {
  // `Chrome 138.0.0.0` is shown as `Chrome 138`.
  return [browser, os].map(name => name?.replace(/(\.0)+$/, '')).filter(Boolean).join(', ') || texts.device[device];
}

export function State({ state, reason }: { state: SessionState; reason?: EndReason | null }) {
  return (
    <span class={`badge ${state.toLowerCase()}`} title={reason ? texts.reason[reason] : undefined}>
      {texts.state[state]}
    </span>
  );
}
