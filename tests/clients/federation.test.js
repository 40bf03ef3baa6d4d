import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { composeServices } from '@apollo/composition';
import { ApolloGateway, IntrospectAndCompose, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { parse } from 'graphql';

import { login, start } from './service.js';

// Another team's subgraph, which refers to users.
const NOTES = {
  name: 'notes',
  typeDefs: parse(`
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Note { text: String author: User }
    type User @key(fields: "id", resolvable: false) { id: ID! }
    type Query { note: Note }
  `),
};

class Authorized extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.authorization) request.http.headers.set('authorization', context.authorization);
  }
}

let service;
before(async () => (service = await start('--federation', 'gateway')));
after(() => service.stop());

const sdl = () => execFileSync(process.env.SALLYPORT_BINARY, ['schema', '--federation'], { encoding: 'utf8' });

test('the schema composes with another subgraph, and its guards with it', () => {
  const { errors, supergraphSdl } = composeServices([{ name: 'sallyport', typeDefs: parse(sdl()), url: service.graphql }, NOTES]);
  assert.deepEqual(errors, undefined);
  assert.match(supergraphSdl, /viewer: User .*@authenticated/);
  assert.match(supergraphSdl, /users\([^)]*\): UserConnection .*@requiresScopes\(scopes: \[\["ADMIN"\]\]\)/);
  assert.match(supergraphSdl, /deleteAccount: DeleteAccountPayload .*@policy\(policies: \[\["freshWithin:300"\]\]\)/);
});

// The gateway for Node refuses what it cannot enforce.
test('behind a gateway that passes the header on it answers as it does by itself', async () => {
  const gateway = new ApolloGateway({
    supergraphSdl: new IntrospectAndCompose({ subgraphs: [{ name: 'sallyport', url: service.graphql }] }),
    buildService: ({ url }) => new Authorized({ url }),
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
  });
  const server = new ApolloServer({ gateway });
  await server.start();
  const { accessToken } = await login(service);
  const ask = async (query, authorization) =>
    (await server.executeOperation({ query }, { contextValue: { authorization } })).body.singleResult;
  const known = await ask('{ viewer { username sessions { totalCount } } }', `Bearer ${accessToken}`);
  assert.equal(known.errors, undefined);
  assert.equal(known.data.viewer.username, 'admin');
  const unknown = await ask('{ viewer { username } }');
  assert.equal(unknown.data.viewer, null);
  assert.equal(unknown.errors[0].extensions.code, 'UNAUTHENTICATED');
  await server.stop();
});
