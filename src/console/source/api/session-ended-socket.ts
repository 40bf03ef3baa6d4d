// WebSocket with the subscription to ended sessions. Its connections and disconnections also update
// the reachability.
//
// A WebSocket instead of an event stream, because browsers limit the event streams to one host, and a
// few tabs would reach the limit.
import { effect } from '@preact/signals';
import { CloseCode, createClient } from 'graphql-ws';

import { OwnSessionEndedDocument } from './generated';
import type { OwnSessionEndedSubscription } from './generated';
import { online } from './reachability';
import { current, leave, refresh } from './session';

type Ended = OwnSessionEndedSubscription['sessionEnded'];

const hearers = new Set<(ended: Ended) => void>();

/** Subscribes to the ends of the user's own sessions. Returns the function that unsubscribes. */
export function onSessionEnded(hear: (ended: Ended) => void): () => void {
  hearers.add(hear);
  return () => void hearers.delete(hear);
}

/** Keeps a WebSocket open while a user is logged in. */
export function live() {
  let followed: string | undefined;
  let stop = () => {};
  effect(() => {
    const sessionId = current()?.sessionId;
    if (sessionId === followed) return;
    stop();
    followed = sessionId;
    stop = sessionId ? follow(sessionId) : () => {};
  });
}

function follow(sessionId: string): () => void {
  let used: string | undefined;
  let isOld = false;
  const client = createClient({
    url: '/graphql',
    connectionParams: async () => {
      if (isOld && current()?.token === used) await refresh();
      isOld = false;
      used = current()?.token;
      return { Authorization: `Bearer ${used}` };
    },
    retryAttempts: Infinity,
    shouldRetry: () => current()?.sessionId === sessionId,
    retryWait: tries => new Promise(resolve => setTimeout(resolve, pause(tries))),
    on: {
      connected: () => (online.value = true),
      closed: event => {
        const { code } = event as CloseEvent;
        isOld = code === CloseCode.Forbidden;
        if (GONE.includes(code)) online.value = false;
      },
    },
  });
  client.subscribe<OwnSessionEndedSubscription>(
    { query: OwnSessionEndedDocument.toString() },
    {
      next: ({ data }) => data && hear(sessionId, data.sessionEnded),
      // The answer to a refresh has the reason.
      error: () => void (current()?.sessionId === sessionId && refresh().catch(() => {})),
      complete: () => {},
    },
  );
  // A connection that is being made may be refused first.
  return () => void (async () => client.dispose())().catch(() => {});
}

/** Close codes of a service that is stopping, restarting, overloaded or unreachable. */
const GONE = [1001, 1005, 1006, 1012, 1013];

/** Exponential backoff with jitter, so that clients do not reconnect at the same time. */
const pause = (tries: number) => Math.min(500 * 2 ** tries, 5_000) * (0.5 + Math.random() / 2);

function hear(sessionId: string, ended: Ended) {
  if (ended.session.id === sessionId) leave(ended.reason);
  for (const hearer of hearers) hearer(ended);
}
