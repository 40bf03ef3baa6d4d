import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { createUser, login, logout, refresh, send, start, startAgain } from './service.js';

let service;
let browser;
let open;

before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
  const { accessToken } = await login(service);
  for (const username of ['alice', 'bob']) await createUser(service, username, accessToken);
  open = path => openConsole(browser, service, path);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const refuse = username =>
  send(service, 'mutation($username: String!) { login(input: { username: $username, password: "not-the-password-1" }) { errors { code } } }', { username });

test('events are found by kind, user and time, and a page of them by its address', async () => {
  for (let times = 0; times < 60; times++) await refuse('alice');
  await refuse('bob');
  const console = await open('/console/events');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Events');
  await page.getByRole('cell', { name: 'Login failed' }).first().waitFor();
  await console.looksRight('events');
  await page.getByLabel('What', { exact: true }).selectOption('Login failed');
  await page.getByText('61 in all').waitFor();
  assert.match(page.url(), /kind=LOGIN_FAILED/);
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.waitForURL(/after=/);
  const rows = page.getByRole('row').filter({ has: page.getByRole('cell', { name: 'Login failed' }) });
  await console.until(async () => (await rows.count()) === 11);
  await page.getByLabel('User', { exact: true }).fill('bob');
  await page.keyboard.press('Enter');
  await console.until(async () => (await rows.count()) === 1);
  assert.doesNotMatch(page.url(), /after=/);
  assert.match(await rows.innerText(), /bob/);

  await page.getByText('Times and more').click();
  await page.getByLabel('Happened from').fill('2026-01-02T03:04:05');
  await page.getByLabel('Happened until').fill('2026-01-02T03:04:59');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('Nothing that matches was written down.').waitFor();
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get('from'), '2026-01-02T02:04:05.000Z', 'in the zone of the reader, to the second');
  await page.reload();
  await page.getByText('Nothing that matches was written down.').waitFor();
  assert.equal(await page.getByLabel('Happened from').inputValue(), '2026-01-02T03:04:05');
  await page.getByLabel('User', { exact: true }).fill('nobody');
  await page.keyboard.press('Enter');
  await page.getByText('No account is called “nobody”.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await console.until(() => new URL(page.url()).search === '');
  // An event of a session leads to its story.
  await page.getByRole('row').filter({ hasText: 'admin' }).getByRole('link', { name: 'Logged in' }).first().click();
  await console.heading('Session of admin');
  await console.close();
});

test('a signing key is rotated as planned, then at once, and the page says when the old ones can go', async () => {
  const console = await open('/console/keys');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Keys');
  const row = state => page.getByRole('row').filter({ has: page.getByRole('cell', { name: state, exact: true }) });
  await row('Signs').filter({ hasText: 'Once another key has replaced it' }).waitFor();
  const first = await row('Signs').locator('code').innerText();
  const rotate = () => page.getByRole('button', { name: 'Rotate the signing key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate the signing key' });
  await rotate();
  await console.looksRight('keys-rotate');
  await dialog.getByLabel('Algorithm').selectOption('EdDSA');
  await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'The new key is published and signs in ten minutes.' }).waitFor();
  await row('Published').filter({ hasText: 'EdDSA' }).waitFor();
  await row('Signs').filter({ hasText: first }).filter({ hasText: 'When its last token is dead:' }).waitFor();
  await console.looksRight('keys');
  const wide = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.reload();
  await console.heading('Keys');
  await console.until(async () => {
    const { x, width } = await page.getByRole('link', { name: 'Keys' }).boundingBox();
    return x >= 0 && x + width <= 390;
  });
  await page.setViewportSize(wide);

  // Another one has to wait, unless it is an emergency.
  await rotate();
  await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'A new key is published already' }).waitFor();
  await dialog.getByLabel('At once, because a key may be in other hands').check();
  await dialog.getByRole('button', { name: 'Rotate at once' }).click();
  await page.getByRole('status').filter({ hasText: 'The new key signs from now on.' }).waitFor();
  await row('Retired').filter({ hasText: first }).filter({ hasText: 'Now, no token of it is accepted' }).waitFor();
  assert.equal(await row('Retired').count(), 2);
  assert.notEqual(await row('Signs').locator('code').innerText(), first);
  // Whoever rotated is still logged in.
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByRole('cell', { name: 'Signing key added' }).first().waitFor();
  await console.close();
});

test('the charts of the last hour count what happens while one looks', async () => {
  // A service of its own, so that nothing else is counted.
  const quiet = await start('--refresh-retry-window', '0s');
  const console = await openConsole(browser, quiet, '/console/now');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Now');
  const chart = title => page.getByRole('figure').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
  const says = (title, line) => chart(title).getByRole('listitem').filter({ hasText: line }).waitFor();
  await says('Logins', /^Logged in 1$/);
  await says('Refreshes', /^Answered 0$/);
  await says('Failures', /^Login failed 0$/);
  const height = await chart('Failures').evaluate(figure => figure.getBoundingClientRect().height);

  const { accessToken, refreshToken } = await login(quiet);
  const refreshed = await refresh(quiet, refreshToken);
  await send(quiet, 'mutation { login(input: { username: "admin", password: "not-the-password-1" }) { errors { code } } }');
  await logout(quiet, accessToken);
  await says('Logins', /^Logged in 2$/);
  await says('Refreshes', /^Answered 1$/);
  await says('Ended sessions', /^Logged out 1$/);
  await says('Failures', /^Login failed 1$/);
  assert.ok(refreshed.accessToken);

  // Another session, whose copied token ends it.
  const copied = await login(quiet);
  await refresh(quiet, copied.refreshToken);
  await refresh(quiet, copied.refreshToken);
  await says('Refreshes', /^Refused, an old token 1$/);
  await says('Ended sessions', /^Otherwise 1$/);
  await says('Logins', /^Logged in 3$/);
  await says('Refreshes', /^Answered 2$/);
  assert.equal(await chart('Failures').evaluate(figure => figure.getBoundingClientRect().height), height, 'nothing jumps');
  await chart('Refreshes').getByRole('img', { name: 'Refreshes in the last hour: Answered 2, Answered again 0, Refused, an old token 1' }).waitFor();
  await console.looksRight('now');
  await chart('Refreshes').getByText('Figures').click();
  const table = chart('Refreshes').getByRole('table', { name: 'Refreshes' });
  const figures = (await table.locator('tbody tr').allInnerTexts()).map(line => line.split(/\s+/).slice(1).map(Number));
  assert.deepEqual(figures.reduce((sums, line) => sums.map((sum, place) => sum + line[place])), [2, 0, 1]);
  await console.looksRight('now-figures');

  await quiet.halt();
  await page.getByText('these figures are old').waitFor();
  await says('Logins', /^Logged in 3$/);
  const again = await startAgain(quiet);
  await page.getByText('counted anew every few seconds').waitFor();
  await login(again);
  await says('Logins', /^Logged in 4$/);
  await console.close({ expected: /Failed to load resource|WebSocket connection/ });
  await again.stop();
});

test('the story of a session goes on while one reads it', async () => {
  const { accessToken, refreshToken, session } = await login(service, 'bob');
  const console = await open(`/console/sessions/${session.id}`);
  await console.logIn('admin');
  await console.heading('Session of bob');
  const step = name => console.page.getByRole('listitem').filter({ hasText: name }).waitFor();
  await step('Logged in');
  await refresh(service, refreshToken);
  await step('Refreshed');
  await logout(service, accessToken);
  await step('Session ended');
  await console.close();
});
