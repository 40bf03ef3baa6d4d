// GraphQL over HTTP: every audit of the working group's own suite.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { start } from './service.js';

let service;
before(async () => (service = await start()));
after(() => service.stop());

for (const audit of serverAudits({ url: () => service.graphql })) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}

test('an answer has its media type and character set, and says where nothing can be accepted', async () => {
  const ask = accept =>
    fetch(service.graphql, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename' }),
    });
  for (const [type, status] of [
    ['application/json', 200],
    ['application/graphql-response+json', 400],
  ]) {
    const response = await ask(type);
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), `${type}; charset=utf-8`);
    const body = await response.json();
    assert.equal(body.errors[0].extensions.code, 'GRAPHQL_PARSE_FAILED');
    assert.ok(!('data' in body));
  }
  assert.equal((await ask('image/png')).status, 406);
});
