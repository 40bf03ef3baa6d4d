// A service of your own that takes access tokens: it checks them by the public keys, and refuses those
// of a session that has ended within moments of the logout.
//
// Rule: what is not known is not answered. Where nothing was heard from the feed for five seconds a
// token is neither accepted nor refused, as in the service itself.
import { createClient } from 'graphql-ws';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import WebSocket from 'ws';

const ENDS = 'subscription Ends($after: String!) { sessionEnds(after: $after) { session { sid } endedAt cursor } }';
const BOUND = 5_000;
// What ended before a connection began comes first, and nothing says that it is complete. The service
// gives up a question to its database after two seconds, so more silence than that says so.
const SILENCE = 2_500;
// Longer than any access token lives: what ended earlier is refused by its expiry.
const REMEMBERED = 60 * 60 * 1000;

// `accessToken` gives the token of an administrator, a fresh one each time it is called.
export function createVerifier({ url, issuer, audience, accessToken }) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url));
  const ended = new Map();
  // Nothing yet: all that is held comes first.
  let cursor = '';
  let heardAt = -Infinity;
  let completeAt = Infinity;
  let isClosed = false;

  const client = createClient({
    url: new URL('/graphql', url).href.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ Authorization: `Bearer ${await accessToken()}` }),
    // A connection that died without a word shows by the answer that does not come.
    keepAlive: 1_000,
    on: {
      connected: () => (completeAt = performance.now() + SILENCE),
      pong: () => (heardAt = performance.now()),
    },
    shouldRetry: () => true,
    retryAttempts: Infinity,
  });

  async function follow() {
    while (!isClosed) {
      const events = client.iterate({ query: ENDS, variables: { after: cursor } });
      try {
        for await (const { data } of events) {
          if (!data) break;
          const { session, endedAt } = data.sessionEnds;
          ended.set(session.sid, Date.parse(endedAt));
          cursor = data.sessionEnds.cursor;
          if (completeAt > performance.now()) completeAt = performance.now() + SILENCE;
        }
      } catch {
        // The next round begins where this one ended.
      }
      await new Promise(resolve => setTimeout(resolve, 500));
    }
  }
  follow();

  const forget = setInterval(() => {
    for (const [sid, at] of ended) if (at < Date.now() - REMEMBERED) ended.delete(sid);
  }, 60_000);
  forget.unref();

  return {
    isReady: () => completeAt <= performance.now() && performance.now() - heardAt < BOUND,
    // The claims of a token that is good; throws where it is not, or where that cannot be told.
    async verify(token) {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' });
      if (ended.has(payload.sid)) throw new Error('the session has ended');
      if (!this.isReady()) throw new Error('what has ended is not known at the moment');
      return payload;
    },
    close() {
      isClosed = true;
      return client.dispose();
    },
  };
}
