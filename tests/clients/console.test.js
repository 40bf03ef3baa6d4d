import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { seed } from './seed.js';
import { PASSWORD, createUser, login, refresh, send, start, startAgain } from './service.js';

const MANY = 50_000;
let service;
let browser;
let open;

before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
  const { accessToken } = await login(service);
  const ids = [];
  for (const username of ['alice', 'bob', 'carol', 'dave']) ids.push(await createUser(service, username, accessToken));
  await seed(service.database, ids, MANY);
  await createUser(service, 'erin', accessToken);
  open = (path, options) => openConsole(browser, service, path, options);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

test('an administrator finds a session, reads its story and ends it, and its browser says so', async () => {
  const bob = await open('/console');
  await bob.logIn('bob');
  await bob.heading('My account');
  // A visit later comes back with the cookie: a rotation.
  await bob.page.reload();
  await bob.heading('My account');

  const admin = await open('/console');
  await admin.logIn('admin');
  await admin.heading('Sessions');
  await admin.page.getByLabel('User', { exact: true }).fill('bob');
  await admin.page.getByRole('button', { name: 'Apply' }).click();
  await admin.page.waitForURL(/user=bob/);
  const { page } = admin;
  await page.getByRole('row').filter({ hasText: '127.0.0.1' }).first().getByRole('link', { name: 'bob' }).click();
  await admin.heading('Session of bob');
  await page.getByRole('listitem').filter({ hasText: 'Logged in' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Refreshed' }).waitFor();
  await admin.looksRight('story');

  await page.getByRole('button', { name: 'End session' }).click();
  const dialog = page.getByRole('dialog', { name: 'End session' });
  await admin.looksRight('story-end');
  await dialog.getByRole('button', { name: 'End 1 session' }).click();
  const began = Date.now();
  await bob.page.getByText('An administrator ended your session.').waitFor();
  console.log(`the other browser was logged out ${Date.now() - began} ms after the click`);
  await page.getByRole('listitem').filter({ hasText: 'Session ended' }).filter({ hasText: 'by admin' }).waitFor();
  await bob.looksRight('logged-out');
  await Promise.all([admin.close(), bob.close()]);
});

test('a wrong password is said, and the right one still logs in', async () => {
  const console = await open('/console/account');
  await console.page.getByRole('button', { name: 'Log in', exact: true }).click();
  await console.page.getByRole('alert').filter({ hasText: 'Enter your username and password.' }).waitFor();
  await console.logIn('alice', 'not-the-password-1');
  await console.page.getByRole('alert').filter({ hasText: /password/i }).waitFor();
  await console.looksRight('wrong-password');
  await console.logIn('alice');
  await console.heading('My account');
  const stored = await console.page.evaluate(() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie);
  assert.ok(!stored.includes('eyJ') && !stored.includes(PASSWORD), stored);
  await console.close();
});

test('a user who is not an administrator sees only their own account', async () => {
  const console = await open('/console/sessions');
  await console.logIn('carol');
  await console.heading('Administrators only');
  const links = console.page.getByRole('navigation', { name: 'Main navigation' }).getByRole('link');
  assert.deepEqual(await links.allInnerTexts(), ['My account']);
  await console.looksRight('forbidden');
  await links.click();
  await console.heading('My account');
  await console.page.goto(`${service.url}/console/nowhere`);
  await console.heading('Page not found');
  await console.close();
});

test(`pages lead through ${MANY} sessions to the end and back, and the address bar keeps the view`, async () => {
  const console = await open('/console/sessions');
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Sessions');
  const first = await console.rows();
  await console.looksRight('sessions');
  const turn = async name => {
    const before = await console.rows();
    await page.getByRole('button', { name, exact: true }).click();
    await console.rowsOtherThan(before);
  };
  await turn('Next page');
  const second = await console.rows();
  await turn('Last page');
  assert.match(page.url(), /end=1/);
  assert.equal(await page.getByRole('button', { name: 'Next page', exact: true }).getAttribute('aria-disabled'), 'true');
  const last = await console.rows();
  await turn('Previous page');
  await turn('Next page');
  assert.equal(await console.rows(), last);
  await turn('First page');
  assert.equal(await console.rows(), first);
  await turn('Next page');
  assert.equal(await console.rows(), second);
  await page.reload();
  await console.rowsOtherThan('');
  assert.equal(await console.rows(), second, 'the address says what is shown');
  await page.goBack();
  await console.rowsOtherThan(second);
  assert.equal(await console.rows(), first);
  await console.close();
});

test('filters find sessions, and say where there are none or the filter means nothing', async () => {
  const console = await open('/console/sessions?ip=192.0.2.0%2F24&state=ACTIVE&agent=curl');
  const { page } = console;
  await console.logIn('admin');
  await console.rows();
  const found = await console.table.innerText();
  assert.ok(found.includes('192.0.2.23') && !found.includes('203.0.113.7') && !found.includes('Firefox'), found);
  await page.getByLabel('IP address').fill('not an address');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Change it and apply it again' }).waitFor();
  await console.looksRight('sessions-refused');
  await page.getByLabel('IP address').fill('10.1.2.3');
  await page.keyboard.press('Enter');
  await page.getByText('No sessions match the filters.').waitFor();
  await console.looksRight('sessions-empty');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel('User', { exact: true }).fill('nobody');
  await page.keyboard.press('Enter');
  await page.getByText('The user “nobody” does not exist.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await console.rowsOtherThan('');
  assert.equal(new URL(page.url()).search, '');
  await console.close();
});

test('several sessions are ended, and all that match once their number was said', async () => {
  // Some dozens: a debug build on a busy machine would be too long about thousands.
  const since = new Date(Date.now() - 2 * 3_600_000).toISOString();
  const console = await open(`/console/sessions?user=dave&state=ACTIVE&ip=198.51.100.99&createdFrom=${since}`);
  const { page } = console;
  await console.logIn('admin');
  const before = await console.rows();
  await page.getByRole('checkbox', { name: 'Select session of dave' }).nth(0).check();
  await page.getByRole('checkbox', { name: 'Select session of dave' }).nth(1).check();
  await page.getByRole('button', { name: 'End 2 sessions' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End 2 sessions' }).click();
  await page.getByRole('status').filter({ hasText: 'Ended 2 sessions.' }).waitFor();
  await console.rowsOtherThan(before);
  await page.getByRole('button', { name: 'End matching sessions…' }).click();
  const confirm = page.getByRole('dialog').getByRole('button', { name: /^End [\d,]+ sessions$/ });
  await confirm.waitFor();
  await page.getByLabel('Note (visible to the users)').fill('moved to another network');
  await console.looksRight('end-matching');
  const [said] = /[\d,]+/.exec(await confirm.innerText());
  await confirm.click();
  await page.getByRole('status').filter({ hasText: `Ended ${said} sessions.` }).waitFor();
  await page.getByText('No sessions match the filters.').waitFor();
  await console.close();
});

test('everybody reads, names and ends their own sessions, and changes their password', async () => {
  const other = await open('/console');
  await other.logIn('erin');
  await other.heading('My account');
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('erin');
  await console.heading('My account');
  const mine = page.getByRole('row').filter({ hasText: 'Current session' });
  await mine.getByRole('button', { name: /^Rename/ }).click();
  await page.getByLabel('Name', { exact: true }).fill('The desk');
  await page.getByRole('button', { name: 'Save name' }).click();
  await mine.filter({ hasText: 'The desk' }).waitFor();
  await console.looksRight('account');

  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password').fill(PASSWORD);
  await dialog.getByLabel('New password').fill('password');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await dialog.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  await console.looksRight('change-password');
  await dialog.getByLabel('New password').fill(`${PASSWORD}-2`);
  await dialog.getByLabel('End my other sessions').uncheck();
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await page.getByRole('status').filter({ hasText: 'Changed your password.' }).waitFor();

  await page.getByRole('button', { name: 'End other sessions' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End other sessions' }).click();
  await page.getByRole('status').filter({ hasText: /Ended \d+ sessions?\./ }).waitFor();
  await other.page.getByText('You were logged out from another of your sessions.').waitFor();
  await page.getByRole('cell', { name: 'Password changed' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('You have logged out.').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await Promise.all([console.close(), other.close()]);
});

test('everything is reached with the keyboard, and a dialog gives the focus back', async () => {
  const console = await open('/console/account');
  const { page } = console;
  await page.getByLabel('Username or e-mail address').waitFor();
  await page.keyboard.type('alice');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await console.rows();
  const focused = () => page.evaluate(() => document.activeElement.textContent.slice(0, 50));
  const tabTo = name => console.until(async () => {
    await page.keyboard.press('Tab');
    return (await focused()) === name;
  });
  await tabTo('Skip to content');
  await page.keyboard.press('Enter');
  await tabTo('Change password');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.closest('dialog') !== null), true);
  await page.keyboard.press('Escape');
  await console.until(async () => (await page.getByRole('dialog').count()) === 0);
  await console.until(async () => (await focused()) === 'Change password');
  await tabTo('Rename');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).press('Enter');
  await console.until(async () => (await page.getByRole('dialog').count()) === 0);
  await console.until(async () => (await focused()) === 'Rename');
  await console.close();
});

test('the story of a session tells who used an old token, and that it was the end of it', async () => {
  const strict = await start('--refresh-retry-window', '0s');
  const { refreshToken, session } = await login(strict);
  await refresh(strict, refreshToken);
  const { errors } = await refresh(strict, refreshToken);
  assert.equal(errors[0].code, 'REFRESH_TOKEN_REUSED');
  const console = await openConsole(browser, strict, `/console/sessions/${session.id}`);
  await console.logIn('admin');
  await console.heading('Session of admin');
  const steps = console.page.getByRole('list').last().locator('li strong');
  await steps.last().waitFor();
  const told = await steps.allInnerTexts();
  assert.deepEqual(told.slice(0, 2), ['Logged in', 'Refreshed']);
  assert.deepEqual(told.slice(2).sort(), ['Refresh token reused', 'Session ended']);
  await console.looksRight('story-reused');
  await console.close();
  await strict.stop();
});

test('two tabs refresh at once and both stay logged in; what ends the session ends both', async () => {
  // Each access token is good for a moment only, so that both tabs refresh time and again.
  const brief = await start('--access-token-lifetime', '3s', '--refresh-retry-window', '1s', '--revocation-staleness', '2s', '--leeway', '0s');
  const one = await openConsole(browser, brief, '/console/account');
  await one.logIn('admin');
  await one.heading('My account');
  const two = await one.anotherTab('/console/account');
  await two.heading('My account');
  const rotations = async () => {
    const { data } = await send(brief, '{ viewer { sessions(last: 5) { nodes { generation state } } } }', {}, (await login(brief)).accessToken);
    const found = data.viewer.sessions.nodes.filter(({ generation }) => generation > 0);
    assert.ok(found.every(({ state }) => state === 'ACTIVE'), JSON.stringify(found));
    return Math.max(0, ...found.map(({ generation }) => generation));
  };
  for (let round = 0; round < 3; round++) {
    await Promise.all([one.page.reload(), two.page.reload()]);
    await Promise.all([one.heading('My account'), two.heading('My account')]);
  }
  const reached = await rotations();
  assert.ok(reached >= 4, `${reached} rotations`);
  // From here on the tabs refresh by themselves.
  await one.until(async () => (await rotations()) >= reached + 3);
  await Promise.all([one.heading('My account'), two.heading('My account')]);
  await one.page.getByRole('button', { name: 'Log out' }).click();
  await two.page.getByText('You have logged out.').waitFor();
  // And who logs in in one tab is logged in in the other.
  await two.logIn('admin');
  await Promise.all([one.heading('My account'), two.heading('My account')]);
  await Promise.all([one.close(), two.close()]);
  await brief.stop();
});

test('a logout while the connection for events is being made leaves no error', async () => {
  const console = await open('/console/account');
  const { page } = console;
  const held = [];
  let isClosed = false;
  // A slow network: what the browser sends arrives later.
  await page.routeWebSocket(/\/graphql$/, socket => {
    const server = socket.connectToServer();
    socket.onMessage(message => held.push(() => server.send(message)));
    server.onClose((code, reason) => socket.close({ code, reason }).then(() => (isClosed = true)));
  });
  await console.logIn('alice');
  await console.heading('My account');
  await console.until(() => held.length > 0);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('You have logged out.').waitFor();
  for (const send of held) send();
  await console.until(() => isClosed);
  await console.close();
});

test('a service that goes away logs nobody out, and the page goes on when it is back', async () => {
  // Nor does it need more than the documents that the service knows as its console's.
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-'));
  const documents = join(directory, 'documents.json');
  writeFileSync(documents, JSON.stringify({ other: '{ __typename }' }));
  const first = await start('--trusted-documents', documents, '--trusted-documents-only', 'true');
  const console = await openConsole(browser, first, '/console/sessions');
  const { page } = console;
  await console.logIn('admin');
  await console.rows();
  await first.halt();
  await page.getByRole('status').filter({ hasText: 'The service is unreachable.' }).waitFor();
  await page.getByRole('link', { name: 'My account' }).click();
  await page.getByRole('alert').filter({ hasText: 'The data could not be loaded' }).first().waitFor();
  await console.looksRight('away');
  const second = await startAgain(first);
  await page.getByRole('cell', { name: 'Current session' }).or(page.getByText('Current session')).first().waitFor();
  // An attempt from before the restart may fail after the first answer; the page corrects itself.
  await console.until(async () => (await page.getByText('The service is unreachable.').count()) === 0);
  await console.close({ expected: /Failed to load resource|WebSocket connection/ });
  await second.stop();
  rmSync(directory, { recursive: true });
});
