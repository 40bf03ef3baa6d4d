import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { GraphQLClient } from 'graphql-request';

import { LOGIN, VIEWER } from './operations.js';
import { PASSWORD, start } from './service.js';

let service;
before(async () => (service = await start()));
after(() => service.stop());

test('graphql-request logs in and asks, and reads the code of a refusal', async () => {
  const client = new GraphQLClient(service.graphql);
  const { login } = await client.request(LOGIN, { username: 'admin', password: PASSWORD });
  const headers = { authorization: `Bearer ${login.tokens.accessToken}` };
  const { viewer } = await client.request({ document: VIEWER, requestHeaders: headers });
  assert.equal(viewer.username, 'admin');
  await assert.rejects(client.request(VIEWER), error => {
    assert.equal(error.response.errors[0].extensions.code, 'UNAUTHENTICATED');
    return true;
  });
});
