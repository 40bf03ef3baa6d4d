import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CombinedGraphQLErrors, gql } from '@apollo/client';

import { createApollo } from './apollo.js';
import { addApp, showCode, using } from './authenticators.js';
import { createEmailPages, emailOperations } from './email.js';
import { BLACKLIST, LOGIN, LOGOUT, SESSIONS, VIEWER, countRefreshes, createStorage } from './operations.js';
import { PASSWORD, createVerifiedUser, login, logout, receive, start } from './service.js';
import { createSession } from './session.js';

let service;
before(async () => (service = await start()));
after(() => service.stop());

function createTab(storage = createStorage()) {
  const session = createSession(service.graphql, storage);
  return { storage, session, client: createApollo(service.graphql, session) };
}

async function loggedIn() {
  const tab = createTab();
  const variables = { username: 'admin', password: PASSWORD };
  const { data } = await tab.client.mutate({ mutation: gql(LOGIN), variables });
  tab.session.save(data.login.tokens);
  return tab;
}

const ask = ({ client }, query) => client.query({ query: gql(query), fetchPolicy: 'network-only' });

test('a client logs in, asks and logs out', async () => {
  const tab = await loggedIn();
  assert.equal((await ask(tab, VIEWER)).data.viewer.username, 'admin');
  const { data } = await tab.client.mutate({ mutation: gql(LOGOUT) });
  assert.equal(data.logout.endedCount, 1);
  await assert.rejects(ask(tab, VIEWER), error => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0].extensions.reason, 'SESSION_ENDED');
    return true;
  });
  assert.equal(tab.session.accessToken(), null, 'a refused refresh forgets the tokens');
});

test('however many queries are refused together, there is one refresh, and all are answered', async () => {
  const tab = await loggedIn();
  tab.storage.setItem('accessToken', 'run out');
  const count = await countRefreshes(async () => {
    const answers = await Promise.all([VIEWER, SESSIONS, BLACKLIST, VIEWER].map(query => ask(tab, query)));
    for (const { data } of answers) assert.ok(data.viewer.id);
  });
  assert.equal(count, 1);
});

test('two tabs that refresh at once with one refresh token both go on', async () => {
  const first = await loggedIn();
  first.storage.setItem('accessToken', 'run out');
  // Tabs of one browser: each refreshes by itself, over the storage that they share.
  const second = createTab(first.storage);
  let renewed;
  const count = await countRefreshes(async () => {
    renewed = await Promise.all([first, second].map(({ session }) => session.renew('run out')));
  });
  assert.deepEqual(renewed, [true, true]);
  assert.equal(count, 2);
  const answers = await Promise.all([ask(first, VIEWER), ask(second, SESSIONS)]);
  for (const { data } of answers) assert.ok(data.viewer.id);
  assert.ok((await ask(first, SESSIONS)).data.viewer.id);
});

test('a refused login is data', async () => {
  const { client } = createTab();
  const variables = { username: 'admin', password: 'wrong' };
  const { data } = await client.mutate({ mutation: gql(LOGIN), variables });
  assert.equal(data.login.tokens, null);
  assert.equal(data.login.errors[0].code, 'INVALID_CREDENTIALS');
});

test('a logout everywhere is seen by the next query', async () => {
  const tab = await loggedIn();
  const elsewhere = await login(service);
  await logout(service, elsewhere.accessToken, 'ALL');
  await assert.rejects(ask(tab, VIEWER));
});

const emailPages = ({ client, session }) =>
  createEmailPages(async (name, variables) => (await client.mutate({ mutation: gql(emailOperations[name]), variables })).data, session);

test('a forgotten password is replaced by the code of an e-mail, after a wrong one', async () => {
  await createVerifiedUser(service, 'ada', (await login(service)).accessToken);
  const tab = createTab();
  const pages = emailPages(tab);
  const { challenge } = await pages.requestReset('ada@example.org');
  assert.equal(challenge.sentTo, 'a***@example.org');
  const { code } = await receive(service, 'ada@example.org', 'reset');
  const wrong = await pages.reset({ code: code === '00000000' ? '11111111' : '00000000' }, `${PASSWORD}-ada`);
  assert.equal(wrong.errors[0].code, 'INVALID_PROOF');
  assert.equal((await pages.reset({ code }, 'password')).errors[0].code, 'WEAK_PASSWORD');
  assert.deepEqual((await pages.reset({ code }, `${PASSWORD}-ada`)).errors, []);
  assert.equal((await ask(tab, VIEWER)).data.viewer.username, 'ada');
});

test('the link of an e-mail logs in once', async () => {
  await createVerifiedUser(service, 'bea', (await login(service)).accessToken);
  const tab = createTab();
  const pages = emailPages(tab);
  await pages.requestLogin('bea');
  const { token } = await receive(service, 'bea@example.org', 'login');
  assert.deepEqual((await pages.loginWithLink(token)).errors, []);
  assert.equal((await ask(tab, VIEWER)).data.viewer.username, 'bea');
  assert.equal((await emailPages(createTab()).loginWithLink(token)).errors[0].code, 'CHALLENGE_EXPIRED');
});

test('a client that knows no second step shows what is missing, and one that knows it continues', async () => {
  await createVerifiedUser(service, 'cid', (await login(service)).accessToken);
  const { uri } = await addApp(service, (await login(service, 'cid')).accessToken);
  const tab = createTab();
  const { data } = await tab.client.mutate({ mutation: gql(LOGIN), variables: { username: 'cid', password: PASSWORD } });
  const [{ code, message }] = data.login.errors;
  assert.deepEqual([data.login.tokens, code], [null, 'SECOND_STEP_REQUIRED']);
  assert.match(message, /^Another step is needed to log in\. [A-Z][a-z ,]+ authenticator app[a-z ,]+\.$/);

  const pages = emailPages(tab);
  await pages.requestLogin('cid');
  const { token } = await receive(service, 'cid@example.org', 'login');
  const first = await pages.loginWithLink(token);
  assert.deepEqual([first.errors[0].message, first.challenge.steps], [message, ['TOTP', 'RECOVERY_CODE']]);
  assert.deepEqual((await pages.continueLogin({ totpCode: showCode(uri, using()) })).errors, []);
  assert.equal((await ask(tab, VIEWER)).data.viewer.username, 'cid');
});
