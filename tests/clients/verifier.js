// A service of your own that accepts access tokens: it verifies them by the public keys, and refuses
// those of an ended session within moments of the logout.
//
// If nothing was heard from the feed for five seconds, a token is neither accepted nor refused, as in
// Sallyport itself.
import { createClient } from 'graphql-ws';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import WebSocket from 'ws';

const ENDS = 'subscription Ends($after: String!) { sessionEnds(after: $after) { session { sid } endedAt cursor } }';
const BOUND = 5_000;
// Sessions that ended before the connection began come first, and no message marks their end. The
// service gives up a database query after two seconds, so a longer silence marks it.
const SILENCE = 2_500;
// Longer than the lifetime of access tokens: tokens of earlier ends have expired.
const REMEMBERED = 60 * 60 * 1000;

// `accessToken` gives the token of an administrator, a fresh one each time it is called.
export function createVerifier({ url, issuer, audience, accessToken }) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url));
  const ended = new Map();
  // Empty: all ends that are held come first.
  let cursor = '';
  let heardAt = -Infinity;
  let completeAt = Infinity;
  let isClosed = false;

  const client = createClient({
    url: new URL('/graphql', url).href.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: async () => ({ Authorization: `Bearer ${await accessToken()}` }),
    // Detects a broken connection: its pong does not come.
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
        // The next round continues at the cursor.
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
    // The claims of a valid token. Throws if it is not valid, or if that is not known.
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
