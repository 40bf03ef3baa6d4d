import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { createUser, login, logout, refresh, start } from './service.js';

const ROTATIONS = 60;
let service;
let browser;
let open;
// Of alice, the newest last; and bob's, which he logged out of.
const rotated = [];
let outstanding;
let ended;

before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
  const { accessToken } = await login(service);
  for (const username of ['alice', 'bob', 'carol']) await createUser(service, username, accessToken);
  outstanding = await login(service, 'alice');
  for (let number = 0; number < ROTATIONS; number++) {
    rotated.push(outstanding.refreshToken);
    outstanding = await refresh(service, outstanding.refreshToken);
  }
  ended = await login(service, 'bob');
  await logout(service, ended.accessToken);
  open = path => openConsole(browser, service, path);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const inAll = (page, number) => page.getByText(new RegExp(`^${number} in total`)).waitFor();
const claims = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

test('an administrator searches the blacklist by token, user, reason and session', async () => {
  const console = await open('/console/blacklist');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Blacklist');
  const first = await console.rows();
  assert.equal(await console.table.locator('tbody tr').count(), 50);
  await console.looksRight('blacklist');
  await page.getByRole('button', { name: 'Next page', exact: true }).click();
  await console.rowsOtherThan(first);
  const second = await console.rows();
  await page.getByRole('button', { name: 'Previous page', exact: true }).click();
  await console.rowsOtherThan(second);
  assert.equal(await console.rows(), first);

  const { jti, sid } = claims(rotated[3]);
  const box = page.getByLabel('Token ID (jti)');
  await box.fill(jti.toUpperCase());
  await page.keyboard.press('Enter');
  await inAll(page, 1);
  await console.table.getByRole('cell', { name: 'alice' }).first().waitFor();
  await box.fill('not one');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Change it and apply it again' }).waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await console.until(async () => (await box.inputValue()) === '');

  await page.getByLabel('User', { exact: true }).fill('bob');
  await page.keyboard.press('Enter');
  await inAll(page, 1);
  await console.table.getByRole('cell', { name: 'Logged out' }).waitFor();
  await page.getByLabel('Reason', { exact: true }).selectOption('Rotated');
  await page.getByText('No blacklist entries match the filters.').waitFor();
  await console.looksRight('blacklist-empty');

  await page.goto(`${service.url}/console/blacklist?sid=${sid}&reason=ROTATED`);
  await inAll(page, ROTATIONS);
  await console.table.locator('tbody tr').first().getByRole('link').last().click();
  await console.heading('Session of alice');
  await console.close();
});

test('the check of a token says why it is refused and stores the token nowhere', async () => {
  const console = await open('/console/blacklist');
  const { page } = console;
  const carriers = [];
  page.on('request', request => {
    const carried = request.url() + JSON.stringify(request.headers()) + (request.postData() ?? '');
    if (carried.includes(rotated[0])) carriers.push(request);
  });
  await console.logIn('admin');
  await console.heading('Blacklist');
  const box = page.getByLabel('Token', { exact: true });
  const why = page.getByRole('region', { name: 'Check a token' });
  const answer = why.getByRole('status');
  const told = async (token, words) => {
    await box.fill(token);
    await why.getByRole('button').click();
    await answer.filter({ hasText: words }).waitFor();
    assert.equal(await box.inputValue(), '');
  };
  await told('not a token', 'The text is not a token.');
  await told(`${rotated[0].slice(0, -4)}AAAA`, 'The token is invalid');
  await told(outstanding.accessToken, 'Access token. The token is valid');
  await answer.getByRole('link', { name: 'Show session' }).waitFor();
  await told(outstanding.refreshToken, 'Refresh token. The token is valid');
  await told(ended.accessToken, 'Access token. The session of the token has ended');
  await told(` ${ended.refreshToken}\n`, 'Refresh token. The session of the token has ended');
  await told(rotated[0], 'Refresh token. The token was replaced by a refresh.');
  await console.looksRight('why-refused');

  assert.equal(carriers.length, 1);
  assert.equal(carriers[0].url(), service.graphql);
  const kept = await page.evaluate(() => [document.documentElement.outerHTML, location.href, document.cookie, JSON.stringify({ ...localStorage, ...sessionStorage })].join());
  assert.ok(!kept.includes(rotated[0].slice(-20)));

  await answer.getByRole('link', { name: 'Show blacklist entry' }).click();
  await page.waitForURL(url => url.searchParams.get('jti') === claims(rotated[0]).jti);
  await inAll(page, 1);
  await console.close();
});

test('a user who is not an administrator does not see the blacklist', async () => {
  const console = await open('/console/blacklist');
  await console.logIn('carol');
  await console.heading('Administrators only');
  assert.equal(await console.page.getByRole('region', { name: 'Check a token' }).count(), 0);
  await console.close();
});
