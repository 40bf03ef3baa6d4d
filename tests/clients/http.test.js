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
