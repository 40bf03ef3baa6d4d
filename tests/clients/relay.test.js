import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';

import relay from 'relay-runtime';

import { createStorage } from './operations.js';
import { createRelay } from './relay.js';
import { login, start } from './service.js';
import { createSession } from './session.js';

const { createOperationDescriptor, fetchQuery, getRequest } = relay;

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
