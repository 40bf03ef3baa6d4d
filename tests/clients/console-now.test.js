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
  await console.heading('Audit events');
  await page.getByRole('cell', { name: 'Login failed' }).first().waitFor();
  await console.looksRight('events');
  await page.getByLabel('Event', { exact: true }).selectOption('Login failed');
  await page.getByText('61 in total').waitFor();
  assert.match(page.url(), /kind=LOGIN_FAILED/);
  await page.getByRole('button', { name: 'Next page', exact: true }).click();
  await page.waitForURL(/after=/);
  const rows = page.getByRole('row').filter({ has: page.getByRole('cell', { name: 'Login failed' }) });
  await console.until(async () => (await rows.count()) === 11);
  await page.getByLabel('User', { exact: true }).fill('bob');
  await page.keyboard.press('Enter');
  await console.until(async () => (await rows.count()) === 1);
  assert.doesNotMatch(page.url(), /after=/);
  assert.match(await rows.innerText(), /bob/);

  await page.getByText('More filters').click();
  await page.getByLabel('Occurred after').fill('2026-01-02T03:04:05');
  await page.getByLabel('Occurred before').fill('2026-01-02T03:04:59');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('No audit events match the filters.').waitFor();
  const { searchParams } = new URL(page.url());
  assert.equal(searchParams.get('from'), '2026-01-02T02:04:05.000Z', 'in the zone of the reader, to the second');
  await page.reload();
  await page.getByText('No audit events match the filters.').waitFor();
  assert.equal(await page.getByLabel('Occurred after').inputValue(), '2026-01-02T03:04:05');
  await page.getByLabel('User', { exact: true }).fill('nobody');
  await page.keyboard.press('Enter');
  await page.getByText('The user “nobody” does not exist.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await console.until(() => new URL(page.url()).search === '');
  // An event of a session links to its detail page.
  await page.getByRole('row').filter({ hasText: 'admin' }).getByRole('link', { name: 'Logged in' }).first().click();
  await console.heading('Session of admin');
  await console.close();
});

test('a signing key is rotated as planned, then at once, and the page says when the old ones can go', async () => {
  const console = await open('/console/keys');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Signing keys');
  const row = state => page.getByRole('row').filter({ has: page.getByRole('cell', { name: state, exact: true }) });
  await row('Active').filter({ hasText: 'Not yet replaced' }).waitFor();
  const first = await row('Active').locator('code').innerText();
  const rotate = () => page.getByRole('button', { name: 'Rotate signing key' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rotate signing key' });
  await rotate();
  await console.looksRight('keys-rotate');
  await dialog.getByLabel('Algorithm').selectOption('EdDSA');
  await dialog.getByRole('button', { name: 'Rotate key', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'The new key is published and becomes active in ten minutes.' }).waitFor();
  await row('Next').filter({ hasText: 'EdDSA' }).waitFor();
  await row('Active').filter({ hasText: first }).filter({ hasText: 'When its last token expires:' }).waitFor();
  await console.looksRight('keys');
  const wide = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.reload();
  await console.heading('Signing keys');
  await console.until(async () => {
    const { x, width } = await page.getByRole('link', { name: 'Signing keys' }).boundingBox();
    return x >= 0 && x + width <= 390;
  });
  await page.setViewportSize(wide);

  // Another one has to wait, unless it is an emergency.
  await rotate();
  await dialog.getByRole('button', { name: 'Rotate key', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'A new signing key is already published' }).waitFor();
  await dialog.getByLabel('Emergency (a key may be compromised)').check();
  await dialog.getByRole('button', { name: 'Rotate key immediately' }).click();
  await page.getByRole('status').filter({ hasText: 'The new key is active.' }).waitFor();
  await row('Retired').filter({ hasText: first }).filter({ hasText: 'Now: none of its tokens is accepted' }).waitFor();
  assert.equal(await row('Retired').count(), 2);
  assert.notEqual(await row('Active').locator('code').innerText(), first);
  // Whoever rotated is still logged in.
  await page.getByRole('link', { name: 'Audit events' }).click();
  await page.getByRole('cell', { name: 'Signing key added' }).first().waitFor();
  await console.close();
});

test('the charts of the last hour count new events while the page is open', async () => {
  // A service of its own, so that nothing else is counted.
  const quiet = await start('--refresh-retry-window', '0s');
  const console = await openConsole(browser, quiet, '/console/now');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Activity');
  const chart = title => page.getByRole('figure').filter({ has: page.getByRole('heading', { name: title, exact: true }) });
  const says = (title, line) => chart(title).getByRole('listitem').filter({ hasText: line }).waitFor();
  await says('Logins', /^Logged in 1$/);
  await says('Refreshes', /^Refreshed 0$/);
  await says('Failures', /^Login failed 0$/);
  const height = await chart('Failures').evaluate(figure => figure.getBoundingClientRect().height);

  const { accessToken, refreshToken } = await login(quiet);
  const refreshed = await refresh(quiet, refreshToken);
  await send(quiet, 'mutation { login(input: { username: "admin", password: "not-the-password-1" }) { errors { code } } }');
  await logout(quiet, accessToken);
  await says('Logins', /^Logged in 2$/);
  await says('Refreshes', /^Refreshed 1$/);
  await says('Ended sessions', /^Logged out 1$/);
  await says('Failures', /^Login failed 1$/);
  assert.ok(refreshed.accessToken);

  // Another session, whose copied token ends it.
  const copied = await login(quiet);
  await refresh(quiet, copied.refreshToken);
  await refresh(quiet, copied.refreshToken);
  await says('Refreshes', /^Refresh token reused 1$/);
  await says('Ended sessions', /^Other reason 1$/);
  await says('Logins', /^Logged in 3$/);
  await says('Refreshes', /^Refreshed 2$/);
  assert.equal(await chart('Failures').evaluate(figure => figure.getBoundingClientRect().height), height, 'nothing jumps');
  await chart('Refreshes').getByRole('img', { name: 'Refreshes in the last hour: Refreshed 2, Refresh retried 0, Refresh token reused 1' }).waitFor();
  await console.looksRight('now');
  await chart('Refreshes').getByText('Data table').click();
  const table = chart('Refreshes').getByRole('table', { name: 'Refreshes' });
  const figures = (await table.locator('tbody tr').allInnerTexts()).map(line => line.split(/\s+/).slice(1).map(Number));
  assert.deepEqual(figures.reduce((sums, line) => sums.map((sum, place) => sum + line[place])), [2, 0, 1]);
  await console.looksRight('now-figures');

  await quiet.halt();
  await page.getByText('The figures are outdated').waitFor();
  await says('Logins', /^Logged in 3$/);
  const again = await startAgain(quiet);
  await page.getByText('updated every few seconds').waitFor();
  await login(again);
  await says('Logins', /^Logged in 4$/);
  await console.close({ expected: /Failed to load resource|WebSocket connection/ });
  await again.stop();
});

test('the history of a session is updated while its page is open', async () => {
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
