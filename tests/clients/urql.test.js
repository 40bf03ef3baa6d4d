import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createEmailPages, emailOperations } from './email.js';
import { BLACKLIST, LOGIN, LOGOUT, SESSIONS, VIEWER, countRefreshes, createStorage } from './operations.js';
import { PASSWORD, createVerifiedUser, login, receive, start } from './service.js';
import { createSession } from './session.js';
import { createUrql } from './urql.js';

let service;
before(async () => (service = await start()));
after(() => service.stop());

async function loggedIn() {
  const storage = createStorage();
  const session = createSession(service.graphql, storage);
  const client = createUrql(service.graphql, session);
  const { data } = await client.mutation(LOGIN, { username: 'admin', password: PASSWORD }).toPromise();
  session.save(data.login.tokens);
  return { storage, session, client };
}

const ask = ({ client }, query) => client.query(query, {}, { requestPolicy: 'network-only' }).toPromise();

test('a client logs in, asks by GET as it likes to, and logs out', async () => {
  const tab = await loggedIn();
  assert.equal((await ask(tab, VIEWER)).data.viewer.username, 'admin');
  const { data } = await tab.client.mutation(LOGOUT, {}).toPromise();
  assert.equal(data.logout.endedCount, 1);
  const { error } = await ask(tab, VIEWER);
  assert.equal(error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED');
  assert.equal(tab.session.accessToken(), null);
});

test('however many queries are refused together, there is one refresh, and all are answered', async () => {
  const tab = await loggedIn();
  tab.storage.setItem('accessToken', 'run out');
  const count = await countRefreshes(async () => {
    const answers = await Promise.all([VIEWER, SESSIONS, BLACKLIST].map(query => ask(tab, query)));
    for (const { data } of answers) assert.ok(data.viewer.id);
  });
  assert.equal(count, 1);
});

test('a code from an e-mail logs in, and a link sets a forgotten password', async () => {
  await createVerifiedUser(service, 'cay', (await login(service)).accessToken);
  const session = createSession(service.graphql, createStorage());
  const client = createUrql(service.graphql, session);
  const pages = createEmailPages(async (name, variables) => (await client.mutation(emailOperations[name], variables).toPromise()).data, session);
  await pages.requestLogin('cay');
  const { code } = await receive(service, 'cay@example.org', 'login');
  assert.deepEqual((await pages.continueLogin({ emailCode: code })).errors, []);
  assert.equal((await ask({ client }, VIEWER)).data.viewer.username, 'cay');

  await pages.requestReset('cay');
  const { token } = await receive(service, 'cay@example.org', 'reset');
  assert.deepEqual((await pages.reset({ linkToken: token }, `${PASSWORD}-cay`)).errors, []);
  assert.equal((await ask({ client }, VIEWER)).data.viewer.username, 'cay');
});
