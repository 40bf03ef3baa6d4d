import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { PASSWORD, createUser, login, start } from './service.js';

let service;
let browser;
let open;

before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
  const { accessToken } = await login(service);
  for (const username of ['alice', 'bob', 'carol']) await createUser(service, username, accessToken);
  open = path => openConsole(browser, service, path);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const said = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const rowOf = (page, username) => page.getByRole('row').filter({ has: page.getByRole('cell', { name: username, exact: true }) });

test('an administrator makes an account, deactivates it, which ends its session, and activates it', async () => {
  // A plus in an address means a space where it is not escaped.
  const username = 'dora+desk';
  const admin = await open('/console/users');
  const { page } = admin;
  await admin.logIn('admin');
  await admin.heading('Users');
  await page.getByRole('button', { name: 'Create user' }).click();
  const dialog = page.getByRole('dialog');
  const create = dialog.getByRole('button', { name: 'Create user' });
  await dialog.getByLabel('Username').fill('alice');
  await dialog.getByLabel('Password').fill(PASSWORD);
  await create.click();
  const problem = dialog.getByRole('alert');
  await problem.filter({ hasText: /username/i }).waitFor();
  await admin.looksRight('users-create');
  await dialog.getByLabel('Username').fill(username);
  await dialog.getByLabel('E-mail address').fill('dora@example.org');
  await dialog.getByLabel('Password').fill('password');
  await create.click();
  await problem.filter({ hasText: /password/i }).waitFor();
  await dialog.getByLabel('Password').fill(PASSWORD);
  await create.click();
  await said(page, `Created user ${username}.`);

  const dora = await open('/console');
  await dora.logIn('dora@example.org');
  await dora.heading('My account');

  await page.getByLabel('Username or e-mail', { exact: true }).fill('DORA');
  await page.keyboard.press('Enter');
  await page.getByText(/^1 in total/).waitFor();
  const row = rowOf(page, username);
  await row.getByRole('button', { name: 'Deactivate' }).click();
  await dialog.getByText('This ends 1 session immediately.').waitFor();
  await admin.looksRight('users-deactivate');
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await said(page, `Deactivated user ${username}. Ended 1 session.`);
  await dora.page.getByText('You were logged out because your account was deactivated.').waitFor();
  await dora.logIn(username);
  await dora.page.getByRole('alert').filter({ hasText: /password/i }).waitFor();

  await page.getByLabel('State').selectOption('Active');
  await page.getByText('No users match the filters.').waitFor();
  await page.getByLabel('State').selectOption('Deactivated');
  await row.getByRole('button', { name: 'Activate' }).click();
  await dialog.getByText('with the same password').waitFor();
  await dialog.getByRole('button', { name: 'Activate' }).click();
  await said(page, /\bActivated user dora\+desk\./);
  await page.getByText('No users match the filters.').waitFor();
  await dora.logIn(username);
  await dora.heading('My account');

  await page.getByRole('button', { name: 'Clear' }).click();
  await row.waitFor();
  const links = await row.getByRole('link').evaluateAll(found => found.map(link => link.getAttribute('href')));
  assert.deepEqual(links, ['/console/sessions?user=dora%2Bdesk', '/console/events?user=dora%2Bdesk']);
  await row.getByRole('link', { name: 'Sessions' }).click();
  await admin.heading('Sessions');
  await page.getByText(/^2 in total/).waitFor();
  await Promise.all([admin.close(), dora.close()]);
});

test('an administrator sets a password, which ends the sessions that the old one opened', async () => {
  const bob = await open('/console');
  await bob.logIn('bob');
  await bob.heading('My account');
  const admin = await open('/console/users');
  const { page } = admin;
  await admin.logIn('admin');
  await rowOf(page, 'bob').getByRole('button', { name: 'Set password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set password of bob' });
  const set = dialog.getByRole('button', { name: 'Set password' });
  await dialog.getByText('This ends 1 session immediately.').waitFor();
  await dialog.getByLabel('New password').fill('bob');
  await set.click();
  await dialog.getByRole('alert').filter({ hasText: /password/i }).waitFor();
  await admin.looksRight('users-password');
  await dialog.getByLabel('New password').fill(`${PASSWORD}-bob`);
  await set.click();
  await said(page, 'Set the password of bob. Ended 1 session.');
  await bob.page.getByText('You were logged out because your password was changed.').waitFor();
  await bob.logIn('bob');
  await bob.page.getByRole('alert').filter({ hasText: /password/i }).waitFor();
  await bob.logIn('bob', `${PASSWORD}-bob`);
  await bob.heading('My account');
  await Promise.all([admin.close(), bob.close()]);
});

test('the own account has no actions in the list but a link to its page', async () => {
  const console = await open('/console/users?role=ADMIN');
  const { page } = console;
  await console.logIn('admin');
  await page.getByText(/^1 in total/).waitFor();
  assert.equal(await console.table.getByRole('button').count(), 0);
  await console.table.getByRole('link', { name: 'My account' }).click();
  await console.heading('My account');
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByText(/^\d+ in total/).waitFor();
  await console.looksRight('users');
  await console.close();
});

test('a user who is not an administrator does not see other users', async () => {
  const console = await open('/console/users');
  await console.logIn('carol');
  await console.heading('Administrators only');
  assert.equal(await console.page.getByText('alice').count(), 0);
  await console.close();
});
