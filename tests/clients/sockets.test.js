// Subscriptions as the clients of both protocols see them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';

import { login, logout, start, startBeside, until } from './service.js';

const ENDED = 'subscription { sessionEnded { session { id } reason cursor } }';
const ENDS = 'subscription($after: String) { sessionEnds(after: $after) { session { id } reason cursor } }';

let service;
before(async () => (service = await start()));
after(() => service.stop());

function socket(token, options) {
  return createSocket({
    url: service.graphql.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
    ...options,
  });
}

const sse = token => createSse({ url: service.graphql, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });

// Subscribes, and waits until it is known that no end will be missed: another session's end arrives.
async function follow(client, query, token) {
  const events = [];
  const over = new Promise((complete, error) =>
    client.subscribe({ query }, { next: ({ data, errors }) => events.push(data ?? errors), complete, error }),
  );
  over.catch(() => {});
  await until(async () => {
    await logout(service, (await login(service)).accessToken);
    return events.length > 0;
  });
  return { events, over };
}

for (const [name, connect] of [
  ['graphql-ws', socket],
  ['graphql-sse', sse],
]) {
  test(`${name} is told of the end of one's own session last, and then it is over`, async () => {
    const mine = await login(service);
    const client = connect(mine.accessToken);
    const { events, over } = await follow(client, ENDED);
    await logout(service, mine.accessToken);
    await over.catch(() => {});
    const last = events.at(-1).sessionEnded;
    assert.equal(last.session.id, mine.session.id);
    assert.equal(last.reason, 'LOGOUT');
    await client.dispose();
  });

  test(`${name} follows every session, and goes on after a cursor`, async () => {
    const admin = await login(service);
    const client = connect(admin.accessToken);
    const { events } = await follow(client, ENDS);
    const { cursor } = events.at(-1).sessionEnds;
    await client.dispose();
    const missed = await login(service);
    await logout(service, missed.accessToken);
    const again = connect(admin.accessToken);
    // Sessions that ended before the first client was disposed of may come again.
    for await (const { data } of again.iterate({ query: ENDS, variables: { after: cursor } })) {
      if (data.sessionEnds.session.id === missed.session.id) break;
    }
    await again.dispose();
  });
}

test('graphql-sse has its queries and mutations answered, too', async () => {
  const { accessToken } = await login(service);
  const client = sse(accessToken);
  const answers = async query => {
    const all = [];
    for await (const answer of client.iterate({ query })) all.push(answer);
    return all;
  };
  const viewer = '{ viewer { username } }';
  assert.deepEqual(await answers(viewer), [{ data: { viewer: { username: 'admin' } } }]);
  assert.deepEqual(await answers('mutation { logout { endedCount } }'), [{ data: { logout: { endedCount: 1 } } }]);
  const [refused] = await answers(viewer);
  assert.equal(refused.errors[0].extensions.reason, 'SESSION_ENDED');
  await client.dispose();
});

test('a socket is closed as one that gives up when its session has ended', async t => {
  const mine = await login(service);
  const closed = [];
  const options = { lazy: false, onNonLazyError() {}, on: { closed: event => closed.push(event.code) } };
  const client = socket(mine.accessToken, options);
  t.after(() => client.dispose());
  await follow(client, ENDED);
  await logout(service, mine.accessToken);
  await until(() => closed.length > 0);
  assert.deepEqual(closed, [4401]);
});

test('a socket is closed as one that comes back when its token has run out', async t => {
  const brief = await startBeside(service, '--access-token-lifetime', '2s', '--leeway', '0s');
  t.after(() => brief.stop());
  const { accessToken } = await login(brief);
  const client = socket(accessToken, { url: brief.graphql.replace(/^http/, 'ws'), retryAttempts: 0 });
  const over = new Promise((resolve, reject) => client.subscribe({ query: ENDED }, { next() {}, complete: resolve, error: reject }));
  await assert.rejects(over, { code: 4403 });
});

test('a socket without a good token is closed as one that may come back with another', async () => {
  const client = socket('none', { retryAttempts: 0 });
  const over = new Promise((resolve, reject) => client.subscribe({ query: ENDED }, { next() {}, complete: resolve, error: reject }));
  await assert.rejects(over, { code: 4403 });
});
