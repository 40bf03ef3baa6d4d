// Broadcast channel between the tabs of one browser. The tabs share the refresh cookie, so they share
// one session: a tab that logged in or refreshed sends the new access token to the others.
//
// Invariant: tokens are passed from memory to memory and never stored.
import type { EndReason, WhoFragment } from './generated';

export interface LoggedIn {
  token: string;
  sessionId: string;
  user: WhoFragment;
}

export type Note = { kind: 'in'; session: LoggedIn } | { kind: 'out'; sessionId: string; reason: EndReason };

const channel = new BroadcastChannel('sallyport-console');

export const tell = (note: Note) => channel.postMessage(note);

export const listen = (hear: (note: Note) => void) =>
  channel.addEventListener('message', ({ data }: MessageEvent<Note>) => hear(data));
