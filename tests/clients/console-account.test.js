// E-mail addresses and accounts in the console: login by e-mail, My account, Users and Mail.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { PASSWORD, createUser, createVerifiedUser, login, receive, send, start } from './service.js';

let service;
let browser;
let admin;
let open;

before(async () => {
  [service, browser] = await Promise.all([start(), launch()]);
  admin = await login(service);
  open = path => openConsole(browser, service, path);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const said = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const rowOf = (page, username) => page.getByRole('row').filter({ has: page.getByRole('cell', { name: username, exact: true }) });

async function logIn(username, path = '/console/account') {
  const console = await open(path);
  await console.logIn(username);
  return console;
}

// The next of these operations is refused as if the login were too long ago.
const age = (page, operation) =>
  page.route(
    '**/graphql',
    async (route, request) => {
      if (!request.postData()?.includes(`mutation ${operation}`)) return route.fallback();
      const extensions = { code: 'UNAUTHENTICATED', reason: 'REAUTHENTICATION_REQUIRED', maxAge: 300 };
      await route.fulfill({ json: { data: null, errors: [{ message: 'Log in again.', extensions }] } });
      await page.unroute('**/graphql');
    },
  );

test('a user logs in by a code from an e-mail, and comes back to the page that was asked for', async () => {
  await createVerifiedUser(service, 'amy', admin.accessToken);
  const console = await open('/console/account?ended=1');
  const { page } = console;
  await page.getByRole('button', { name: 'Log in by e-mail' }).click();
  await console.heading('Log in by e-mail');
  await console.looksRight('login-email');
  await page.getByLabel('Username or e-mail address').fill('amy@example.org');
  await page.getByRole('button', { name: 'Send e-mail' }).click();
  await page.getByText('a***@example.org').waitFor();
  const { code } = await receive(service, 'amy@example.org', 'login');
  await console.looksRight('login-code');
  await page.getByLabel('Code').fill(code === '00000000' ? '11111111' : '00000000');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'attempts left' }).waitFor();
  await page.getByLabel('Code').fill(code);
  await page.keyboard.press('Enter');
  await console.heading('My account');
  assert.match(page.url(), /ended=1$/);
  await console.close();
});

test('the login page leads to the reset of a forgotten password, and from there to the console', async () => {
  await createVerifiedUser(service, 'ben', admin.accessToken);
  const console = await open('/console');
  const { page } = console;
  await page.getByRole('link', { name: 'Forgot password?' }).click();
  await console.heading('Reset your password');
  await page.getByLabel('Username or e-mail address').fill('ben');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code').fill((await receive(service, 'ben@example.org', 'reset')).code);
  await page.getByLabel('New password', { exact: true }).fill(`${PASSWORD}-ben`);
  await page.getByLabel('New password again').fill(`${PASSWORD}-ben`);
  await page.keyboard.press('Enter');
  await console.heading('Your new password is set');
  await page.getByRole('link', { name: 'Open the console' }).click();
  await console.heading('My account');
  await console.close();
});

test('where unverified addresses are refused, the login asks for the code', async () => {
  const strict = await start('--unverified-email', 'refuse');
  const { accessToken } = await login(strict);
  const userId = await createUser(strict, 'cleo', accessToken);
  await send(strict, 'mutation($userId: ID!) { updateUser(input: { userId: $userId, email: "cleo@example.org" }) { errors { message } } }', { userId }, accessToken);
  const console = await openConsole(browser, strict, '/console');
  await console.logIn('cleo');
  await console.heading('Enter the code from your e-mail');
  await console.looksRight('login-verify');
  await console.page.getByLabel('Code').fill((await receive(strict, 'cleo@example.org', 'login')).code);
  await console.page.keyboard.press('Enter');
  await console.heading('My account');
  await console.page.getByText('Verified', { exact: true }).waitFor();
  await console.close();
  await strict.stop();
});

test('an address is verified by its code, or by its link in the same browser, which stays logged in', async () => {
  for (const [username, how] of [['dan', 'code'], ['eve', 'link']]) {
    const userId = await createUser(service, username, admin.accessToken);
    await send(service, 'mutation($userId: ID!, $email: String!) { updateUser(input: { userId: $userId, email: $email }) { errors { message } } }', {
      userId,
      email: `${username}@example.org`,
    }, admin.accessToken);
    const console = await logIn(username);
    const { page } = console;
    await page.getByText('Not verified', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send verification' }).click();
    await said(page, `Sent an e-mail with a code and a link to ${username}@example.org.`);
    if (how === 'code') await console.looksRight('account-unverified');
    const mail = await receive(service, `${username}@example.org`, 'verify');
    if (how === 'code') {
      await page.getByLabel('Code').fill(mail.code);
      await page.getByRole('button', { name: 'Verify address' }).click();
      await said(page, 'Verified your e-mail address.');
    } else {
      await page.goto(`${service.url}/account/verify#token=${mail.token}`);
      await page.getByRole('button', { name: 'Verify address' }).click();
      await console.heading('Your e-mail address is verified');
      assert.equal(await page.getByText('password was removed').count(), 0);
      await page.goto(`${service.url}/console/account`);
      await console.heading('My account');
    }
    await page.getByText('Verified', { exact: true }).waitFor();
    await console.close();
  }
});

test('a user changes the address with the code to the new one', async () => {
  await createVerifiedUser(service, 'fay', admin.accessToken);
  const console = await logIn('fay');
  const { page } = console;
  await page.getByRole('button', { name: 'Change address' }).click();
  await page.getByRole('dialog').getByLabel('New e-mail address').fill('fay@example.net');
  await page.getByRole('dialog').getByRole('button', { name: 'Send e-mail' }).click();
  await page.getByText('A change to fay@example.net is pending.').waitFor();
  await console.looksRight('account-pending');
  await page.getByLabel('Code').fill((await receive(service, 'fay@example.net', 'change')).code);
  await page.getByRole('button', { name: 'Confirm new address' }).click();
  await said(page, 'Changed your e-mail address.');
  await page.getByText(/^fay@example\.net/).first().waitFor();
  await console.close();
});

test('a change that needs a fresh login asks for the password, and goes on with it', async () => {
  await createVerifiedUser(service, 'gus', admin.accessToken);
  const console = await logIn('gus');
  const { page } = console;
  const proof = page.getByRole('dialog', { name: 'Confirm that it is you' });
  const rename = page.getByRole('dialog', { name: 'Change username' });
  await page.getByRole('button', { name: 'Change username' }).click();
  await rename.getByLabel('New username').fill('gustav');
  await age(page, 'ChangeUsername');
  await rename.getByRole('button', { name: 'Change username' }).click();
  await proof.waitFor();
  await console.looksRight('reauthentication');
  await page.keyboard.press('Escape');
  await rename.getByRole('alert').filter({ hasText: 'nothing was changed' }).waitFor();

  await age(page, 'ChangeUsername');
  await rename.getByRole('button', { name: 'Change username' }).click();
  await proof.getByLabel('Password').fill('not-the-password-1');
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await proof.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  await proof.getByLabel('Password').fill(PASSWORD);
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await said(page, 'Changed your username to gustav.');
  await page.getByRole('banner').getByText('gustav').waitFor();

  // A code from an e-mail is a proof, too.
  await page.getByRole('button', { name: 'Export data' }).click();
  await age(page, 'ExportAccount');
  const download = page.waitForEvent('download');
  await page.getByRole('dialog').getByRole('button', { name: 'Download file' }).click();
  await proof.getByRole('button', { name: 'Send a code by e-mail instead' }).click();
  await proof.getByLabel('Code').fill((await receive(service, 'gus@example.org', 'reauthenticate')).code);
  await proof.getByRole('button', { name: 'Confirm' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'sallyport-gustav.json');
  const content = JSON.parse(readFileSync(await file.path(), 'utf8'));
  assert.equal(content.account.username, 'gustav');
  await said(page, 'Exported your data.');
  await console.close();
});

test('a user chooses the language of e-mails, and deletes the account by its name', async () => {
  await createVerifiedUser(service, 'hal', admin.accessToken);
  const console = await logIn('hal');
  const { page } = console;
  const other = await console.anotherTab('/console/account');
  await other.heading('My account');
  await page.getByRole('button', { name: 'Change language' }).click();
  await page.getByRole('dialog').getByLabel('Language of e-mails').selectOption('한국어');
  await page.getByRole('button', { name: 'Save language' }).click();
  await said(page, 'Changed the language of your e-mails.');

  await page.getByRole('button', { name: 'Delete account' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete account' });
  const remove = dialog.getByRole('button', { name: 'Delete account' });
  assert.equal(await remove.getAttribute('aria-disabled'), 'true');
  await console.looksRight('account-delete');
  await dialog.getByLabel('Enter your username to confirm: hal').fill('hal');
  await remove.click();
  await page.getByText('Your account was deleted.').waitFor();
  await other.page.getByText('Your account was deleted.').waitFor();
  await console.logIn('hal');
  await page.getByRole('alert').filter({ hasText: /password/i }).waitFor();
  await Promise.all([console.close(), other.close()]);
});

test('an administrator edits, unlocks and deletes a user', async () => {
  await createVerifiedUser(service, 'ida', admin.accessToken);
  const ida = await logIn('ida');
  await ida.heading('My account');
  const console = await logIn('admin', '/console/users?search=ida');
  const { page } = console;
  const dialog = page.getByRole('dialog');
  await rowOf(page, 'ida').getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('E-mail address', { exact: true }).fill('ida@example.net');
  assert.equal(await dialog.getByLabel('The e-mail address is verified').isChecked(), false);
  await dialog.getByLabel('Role').selectOption('Administrator');
  await dialog.getByText('This ends 1 session immediately.').waitFor();
  await console.looksRight('users-edit');
  await dialog.getByRole('button', { name: 'Save changes' }).click();
  await said(page, 'Changed user ida. Ended 1 session.');
  const row = rowOf(page, 'ida').filter({ hasText: 'ida@example.net' }).filter({ hasText: 'Not verified' }).filter({ hasText: 'Administrator' });
  await row.waitFor();
  await ida.heading('Log in');

  await row.getByRole('button', { name: 'Unlock' }).click();
  await dialog.getByRole('button', { name: 'Unlock' }).click();
  await said(page, 'Unlocked user ida.');

  await row.getByRole('button', { name: 'Delete' }).click();
  const remove = dialog.getByRole('button', { name: 'Delete' });
  assert.equal(await remove.getAttribute('aria-disabled'), 'true');
  await dialog.getByLabel('Enter the username to confirm: ida').fill('ida');
  await console.looksRight('users-delete');
  await remove.click();
  await said(page, 'Deleted user ida.');
  await console.until(async () => (await rowOf(page, 'ida').count()) === 0);
  await Promise.all([console.close(), ida.close()]);
});

test('an administrator reads the e-mails that are kept, and sends the others again', async () => {
  await createVerifiedUser(service, 'jan', admin.accessToken);
  await send(service, 'mutation { requestPasswordReset(input: { username: "jan@example.org" }) { errors { code } } }');
  const mail = await receive(service, 'jan@example.org', 'reset');
  const console = await logIn('admin', '/console/mail');
  const { page } = console;
  await console.heading('Mail');
  const row = page.getByRole('row').filter({ hasText: 'jan@example.org' }).filter({ hasText: 'Password reset' }).filter({ hasText: 'Kept' });
  await row.first().waitFor();
  await console.looksRight('mail');
  await row.first().getByRole('button', { name: 'Show' }).click();
  const dialog = page.getByRole('dialog', { name: mail.subject });
  await dialog.getByText(mail.code).waitFor();
  await console.looksRight('mail-text');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await said(page, /e-mails? (is|are)|There are no e-mails/);
  await console.close();

  const user = await logIn('jan', '/console/mail');
  await user.heading('Administrators only');
  await user.close();
});
