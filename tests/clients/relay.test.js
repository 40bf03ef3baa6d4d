import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import relay from 'relay-runtime';

import { addApp, showCode, using } from './authenticators.js';
import { createEmailPages } from './email.js';
import { createStorage } from './operations.js';
import { createRelay } from './relay.js';
import { PASSWORD, createVerifiedUser, login, receive, start } from './service.js';
import { createSession } from './session.js';

const { commitMutation, createOperationDescriptor, fetchQuery, getRequest } = relay;

const compiled = new URL('relay/__generated__/', import.meta.url);
let service;
before(async () => {
  rmSync(compiled, { recursive: true, force: true });
  mkdirSync(compiled);
  execFileSync('node_modules/.bin/relay-compiler', ['relay.config.json'], { cwd: import.meta.dirname });
  service = await start();
});
after(() => service.stop());

const artifact = async name => (await import(new URL(`${name}.graphql.js`, compiled))).default;

async function loggedIn() {
  const storage = createStorage();
  const session = createSession(service.graphql, storage);
  const tokens = await login(service);
  session.save(tokens);
  return { storage, tokens, environment: createRelay(service.graphql, session) };
}

const ask = async ({ environment }, name, variables) =>
  fetchQuery(environment, await artifact(name), variables).toPromise();

test('the compiler takes the schema, and pages are fetched as usePaginationFragment does it', async () => {
  for (let i = 0; i < 4; i += 1) await login(service);
  const tab = await loggedIn();
  const query = await artifact('operationsSessionsQuery');
  const operation = createOperationDescriptor(getRequest(query), { count: 2 });
  tab.environment.retain(operation);
  await ask(tab, 'operationsSessionsQuery', { count: 2 });
  const connection = () => {
    const root = tab.environment.getStore().getSource().get('client:root');
    const viewer = tab.environment.getStore().getSource().get(root.viewer.__ref);
    return tab.environment.getStore().getSource().get(viewer['__operations_sessions_connection'].__ref);
  };
  const page = () => tab.environment.getStore().getSource().get(connection().pageInfo.__ref);
  assert.equal(connection().edges.__refs.length, 2);
  while (page().hasNextPage) {
    const { viewer } = tab.environment.lookup(operation.fragment).data;
    assert.ok(viewer.username);
    const variables = { id: tab.tokens.user.id, count: 2, cursor: page().endCursor };
    await ask(tab, 'operationsSessionsPageQuery', variables);
  }
  assert.ok(connection().edges.__refs.length >= 5, 'every page was added to the list');
});

test('pages go backwards, too', async () => {
  const tab = await loggedIn();
  const seen = [];
  for (let cursor = null, more = true; more; ) {
    const { viewer } = await ask(tab, 'operationsBackwardsQuery', { count: 2, cursor });
    seen.unshift(...viewer.sessions.edges.map(edge => edge.node.id));
    ({ startCursor: cursor, hasPreviousPage: more } = viewer.sessions.pageInfo);
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length >= 6);
});

test('a node is fetched again by its id', async () => {
  const tab = await loggedIn();
  const { node } = await ask(tab, 'operationsNodeQuery', { id: tab.tokens.session.id });
  assert.deepEqual(node, { __typename: 'Session', id: tab.tokens.session.id, state: 'ACTIVE' });
});

test('a refused access token is renewed on the way', async () => {
  const tab = await loggedIn();
  tab.storage.setItem('accessToken', 'run out');
  const { node } = await ask(tab, 'operationsNodeQuery', { id: tab.tokens.session.id });
  assert.deepEqual(node, { __typename: 'Session', id: tab.tokens.session.id, state: 'ACTIVE' });
  tab.storage.setItem('accessToken', 'run out');
  const { viewer } = await ask(tab, 'operationsBackwardsQuery', { count: 1 });
  assert.equal(viewer.sessions.edges.length, 1);
});

function openPages() {
  const session = createSession(service.graphql, createStorage());
  const environment = createRelay(service.graphql, session);
  const mutate = async (name, variables) => {
    const mutation = await artifact(`operations${name}Mutation`);
    return new Promise((onCompleted, onError) => commitMutation(environment, { mutation, variables, onCompleted, onError }));
  };
  const isLoggedIn = async () => (await ask({ environment }, 'operationsBackwardsQuery', { count: 1 })).viewer.sessions.edges.length === 1;
  return { session, isLoggedIn, pages: createEmailPages(mutate, session) };
}

test('a forgotten password is replaced by the code of an e-mail, and a link logs in', async () => {
  await createVerifiedUser(service, 'dee', (await login(service)).accessToken);
  const { session, isLoggedIn, pages } = openPages();
  await pages.requestReset('dee');
  const { code } = await receive(service, 'dee@example.org', 'reset');
  assert.deepEqual((await pages.reset({ code }, `${PASSWORD}-dee`)).errors, []);
  assert.ok(await isLoggedIn());

  session.clear();
  await pages.requestLogin('dee');
  const { token } = await receive(service, 'dee@example.org', 'login');
  assert.deepEqual((await pages.loginWithLink(token)).errors, []);
  assert.ok(await isLoggedIn());
});

test('a page that knows no second step shows what is missing, and one that knows it continues', async () => {
  await createVerifiedUser(service, 'eli', (await login(service)).accessToken);
  const { uri } = await addApp(service, (await login(service, 'eli')).accessToken);
  const { isLoggedIn, pages } = openPages();
  await pages.requestLogin('eli');
  const { token } = await receive(service, 'eli@example.org', 'login');
  const { tokens, errors: [{ code, message }] } = await pages.loginWithLink(token);
  assert.deepEqual([tokens, code], [null, 'SECOND_STEP_REQUIRED']);
  assert.match(message, /^Another step is needed to log in\. [A-Z][a-z ,]+ authenticator app[a-z ,]+\.$/);
  assert.deepEqual((await pages.continueLogin({ totpCode: showCode(uri, using()) })).errors, []);
  assert.ok(await isLoggedIn());
});
