import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { PASSWORD, environment, login, refresh, start, startAgain } from './service.js';

const KEY = 'django-insecure-0123456789abcdefghijklmnopqrstuv';
const HOUR = 3_600_000;

let browser;
let directory;
let service;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moved-'));
  await writeFile(join(directory, 'django.key'), KEY);
  await writeFile(join(directory, 'django.toml'), 'key-file = "django.key"\n');
  [service, browser] = await Promise.all([start('--accept-foreign-tokens', join(directory, 'django.toml')), launch()]);
});
after(async () => {
  await browser?.close();
  await service?.stop();
  await rm(directory, { recursive: true });
});

const moment = at => new Date(at).toISOString().replace(/\.\d+/, '');

// Django's, of few passes.
function hash(username) {
  const salt = `salt-of-${username}`;
  return `pbkdf2_sha256$1000$${salt}$${pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256').toString('base64')}`;
}

function refreshToken(jti, userId, issuedAt, expiresAt) {
  const claims = { token_type: 'refresh', jti, user_id: userId, iat: Math.floor(issuedAt / 1000), exp: Math.floor(expiresAt / 1000) };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`;
}

async function importFrom(source, users, outstanding = []) {
  const lines = [
    { format: 'sallyport-import', version: 1, source, settings: {} },
    ...users.map(user => ({ kind: 'user', ...user })),
    ...outstanding.map(token => ({ kind: 'outstanding', ...token })),
    { kind: 'end', users: users.length, outstanding: outstanding.length, blacklisted: 0 },
  ];
  const file = join(directory, `${source}.ndjson`);
  await writeFile(file, lines.map(line => `${JSON.stringify(line)}\n`).join(''));
  await promisify(execFile)(process.env.SALLYPORT_BINARY, ['import', file, '--apply', '--groups-as-roles'], { cwd: tmpdir(), env: environment(service.database) });
}

test('an administrator follows the move from two systems', async () => {
  const console = await openConsole(browser, service, '/console/move');
  const { page } = console;
  await page.clock.install();
  await console.logIn('admin');
  await console.heading('Move');
  await page.getByText('No accounts were imported').waitFor();
  await console.looksRight('move-empty');

  const [issuedAt, expiresAt] = [Date.now() - HOUR, Date.now() + 48 * HOUR];
  const [created_at, expires_at] = [moment(issuedAt), moment(expiresAt)];
  const users = ['ada', 'ben', 'cleo'].map((username, number) => ({ id: String(number + 41), username, password: hash(username), groups: ['editors', 'translators'] }));
  await importFrom('django', users, ['a1', 'a2'].map(jti => ({ jti, user_id: '41', created_at, expires_at })));
  await importFrom('shop', [{ id: '7', username: 'dora', password: null }]);

  const card = name => page.getByRole('region', { name, exact: true });
  const fact = (source, name) => card(source).locator('.facts > div').filter({ hasText: name }).locator('dd');
  // The page asks again after ten seconds, for which nobody waits.
  const soon = condition => console.until(async () => (await condition()) || (await page.clock.fastForward(10_000)));
  const says = (source, name, text) => soon(async () => (await fact(source, name).allInnerTexts()).join() === text);
  const passwords = (source, replaced, left) => {
    const name = `Passwords of the accounts from ${source}: Password hash replaced, or no password ${replaced}, Password hash of the other system ${left}`;
    return soon(() => page.getByRole('img', { name, exact: true }).isVisible());
  };
  await says('django', 'Imported accounts', '3');
  await says('django', 'Exchanged tokens', '0');
  await says('django', 'Last exchange', 'Never');
  await passwords('django', '0 (0%)', '3 (100%)');
  assert.equal(await fact('django', 'Last token expires').locator('time').getAttribute('datetime').then(Date.parse), Math.floor(expiresAt / 1000) * 1000);
  assert.equal(await card('django').getByText('--accept-foreign-tokens').count(), 0);
  await says('shop', 'Imported accounts', '1');
  await says('shop', 'Last token expires', 'No token is left');
  await passwords('shop', '1 (100%)', '0 (0%)');
  await card('shop').getByText('Remove --accept-foreign-tokens if it is set').waitFor();

  // A login replaces the hash of its account.
  const ben = await login(service, 'ben');
  assert.ok(ben.accessToken);
  await passwords('django', '1 (33%)', '2 (67%)');
  const exchange = async jti => assert.deepEqual((await refresh(service, refreshToken(jti, '41', issuedAt, expiresAt))).errors, []);
  await exchange('a1');
  await says('django', 'Exchanged tokens', '1');
  const lastExchange = await fact('django', 'Last exchange').locator('time').getAttribute('datetime');
  assert.ok(Math.abs(Date.now() - Date.parse(lastExchange)) < HOUR, lastExchange);
  await console.looksRight('move');

  await service.halt();
  await soon(() => page.getByText('The figures are outdated').isVisible());
  await says('django', 'Exchanged tokens', '1');
  service = await startAgain(service);
  await soon(() => page.getByText('updated every ten seconds').isVisible());
  await login(service, 'cleo');
  await passwords('django', '2 (67%)', '1 (33%)');
  await exchange('a2');
  await says('django', 'Exchanged tokens', '2');
  await says('django', 'Last token expires', 'No token is left');
  await card('django').getByText('Remove --accept-foreign-tokens if it is set').waitFor();

  // How the audit events say it.
  await page.getByRole('link', { name: 'Audit events' }).click();
  await console.heading('Audit events');
  await page.getByRole('cell', { name: 'Users imported' }).first().waitFor();
  await page.getByRole('link', { name: 'Refresh token exchanged' }).first().click();
  await console.heading('Session of ada');
  await console.close({ expected: /Failed to load resource|WebSocket connection/ });
});

test('the details of an imported account have its ID in the other system and its roles', async () => {
  const admin = await openConsole(browser, service, '/console/users');
  const { page } = admin;
  await admin.logIn('admin');
  await admin.heading('Users');
  const row = page.getByRole('row').filter({ has: page.getByRole('cell', { name: 'ben', exact: true }) });
  await row.getByText('editors, translators').waitFor();
  await admin.looksRight('users-imported');
  await row.getByRole('button', { name: 'Edit' }).click();
  const dialog = page.getByRole('dialog', { name: 'Edit user ben' });
  await dialog.getByText('ID in the other system').waitFor();
  await dialog.getByText('42', { exact: true }).waitFor();
  await dialog.getByText('editors, translators').waitFor();
  await admin.looksRight('users-imported-edit');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  const ben = await openConsole(browser, service, '/console/account');
  await ben.logIn('ben');
  await ben.heading('My account');
  await ben.page.getByText('editors, translators').waitFor();
  await ben.page.getByText('42', { exact: true }).waitFor();
  assert.equal(await ben.page.getByRole('link', { name: 'Move' }).count(), 0);
  await ben.page.goto(`${service.url}/console/move`);
  await ben.heading('Administrators only');
  await Promise.all([admin.close(), ben.close()]);
});
