import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { PASSWORD, start } from './service.js';

const keeper = readFileSync(join(import.meta.dirname, 'cookies.js'), 'utf8').replace('export ', '');
const LOGIN = `mutation($password: String!) {
  login(input: { username: "admin", password: $password, transport: COOKIE }) { tokens { accessToken } }
}`;
let service;
let browser;

// Without a window in which a retry would be answered whatever it is called.
before(async () => ([service, browser] = await Promise.all([start('--refresh-retry-window', '0s'), launch()])));
after(async () => {
  await browser?.close();
  await service?.stop();
});

// A tab of the service's own origin with the keeper in it, and the refreshes that it sent.
async function openTab(context) {
  const page = await context.newPage();
  const attempts = [];
  page.on('request', request => {
    const { query, variables } = request.postDataJSON() ?? {};
    if (query?.includes('Refresh')) attempts.push(variables.input.attemptId);
  });
  await page.goto(`${service.url}/healthz`);
  await page.evaluate(`${keeper}; globalThis.session = createCookieSession('/graphql');`);
  const send = (query, variables) =>
    page.evaluate(
      async ([query, variables]) => {
        const token = globalThis.session.accessToken();
        const response = await fetch('/graphql', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-sallyport-csrf': '1',
            ...(token && { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify({ query, variables }),
        });
        return response.json();
      },
      [query, variables],
    );
  return {
    page,
    attempts,
    send,
    renew: (token = null) => page.evaluate(token => globalThis.session.renew(token), token),
    save: tokens => page.evaluate(tokens => globalThis.session.save(tokens), tokens),
    accessToken: () => page.evaluate(() => globalThis.session.accessToken()),
    generation: async () => (await send('{ viewerSession { generation } }')).data.viewerSession?.generation,
  };
}

async function loggedIn() {
  // The page below allows no script to ask anything.
  const context = await browser.newContext({ bypassCSP: true });
  const tab = await openTab(context);
  const { data } = await tab.send(LOGIN, { password: PASSWORD });
  await tab.save(data.login.tokens);
  return { context, tab };
}

test('tabs refresh one at a time, each by an attempt of its own, and all go on', async () => {
  const { context, tab } = await loggedIn();
  const tabs = [tab, await openTab(context), await openTab(context)];
  await Promise.all(tabs.map(async tab => {
    const token = await tab.accessToken();
    const renewed = await Promise.all([tab.renew(token), tab.renew(token), tab.renew(token)]);
    assert.deepEqual(renewed, [true, true, true]);
  }));
  const attempts = tabs.flatMap(({ attempts }) => attempts);
  assert.ok(attempts.length >= 1 && attempts.length <= tabs.length, `${attempts.length} refreshes`);
  assert.equal(new Set(attempts).size, attempts.length);
  for (const tab of tabs) assert.equal(await tab.generation(), attempts.length);
  await context.close();
});

test('a refresh whose answer was lost is asked for again, by the same attempt, after a reload as well', async () => {
  const { context, tab } = await loggedIn();
  const before = await context.cookies();
  const lose = async route => {
    await route.fetch();
    // Nothing of the answer reached this browser, its cookie neither.
    await context.addCookies(before);
    await route.abort();
  };
  await context.route('**/graphql', lose, { times: 1 });
  await assert.rejects(tab.renew(await tab.accessToken()));
  await tab.page.close();
  const again = await openTab(context);
  assert.equal(await again.renew(), true);
  assert.deepEqual(again.attempts, tab.attempts);
  assert.equal(await again.generation(), 1);
  // The next refresh is another.
  assert.equal(await again.renew(await again.accessToken()), true);
  assert.notEqual(again.attempts[1], again.attempts[0]);
  assert.equal(await again.generation(), 2);
  await context.close();
});

test('a limit and an outage log nobody out, and the end of the session does', async () => {
  const { context, tab } = await loggedIn();
  const token = await tab.accessToken();
  for (const body of [{ errors: [{ message: 'away' }] }, { data: { refresh: { tokens: null, errors: [{ code: 'RATE_LIMITED' }] } } }]) {
    await context.route('**/graphql', route => route.fulfill({ json: body }), { times: 1 });
    assert.equal(await tab.renew(token), false);
    assert.equal(await tab.accessToken(), token);
  }
  await tab.send('mutation { logout { endedCount } }');
  assert.equal(await tab.renew(token), false);
  assert.equal(await tab.accessToken(), null);
  await context.close();
});
