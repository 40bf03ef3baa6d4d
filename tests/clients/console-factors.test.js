// Second factors in the console: the second step of the login, My account and Users.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { createUser, createVerifiedUser, login, receive, send, start } from './service.js';
import { addApp, createApp } from './totp.js';

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
const problem = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();
const rowOf = (page, username) => page.getByRole('row').filter({ has: page.getByRole('cell', { name: username, exact: true }) });
const focused = page => page.evaluate(() => document.activeElement.labels?.[0]?.textContent);

async function logIn(username, path = '/console/account') {
  const console = await open(path);
  await console.logIn(username);
  return console;
}

// An account with an app, as another client added it.
async function createWithApp(username) {
  await createVerifiedUser(service, username, admin.accessToken);
  return addApp(service, (await login(service, username)).accessToken);
}

async function enter(page, label, code) {
  await page.getByLabel(label).fill(code);
  await page.keyboard.press('Enter');
}

test('the login asks for a code of the app, and says what is wrong', async () => {
  const app = await createWithApp('amy');
  const console = await logIn('amy', '/console/account?ended=1');
  const { page } = console;
  await console.heading('Second step of the login');
  const field = page.getByLabel('Code of the app');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await field.getAttribute('inputmode'), 'numeric');
  await page.getByText(/^Valid until \d\d:\d\d\.$/).waitFor();
  await console.looksRight('login-second-step');
  await page.getByRole('button', { name: 'Continue' }).click();
  await problem(page, 'Enter the code of your authenticator app.');
  await enter(page, 'Code of the app', await app.wrong());
  await problem(page, 'The code is wrong. Enter it again. 4 attempts left.');
  await console.looksRight('login-second-step-wrong');
  const code = await app.next();
  await enter(page, 'Code of the app', ` ${code.slice(0, 3)} ${code.slice(3)} `);
  await console.heading('My account');
  assert.match(page.url(), /ended=1$/);
  await page.getByText('Two factors', { exact: true }).waitFor();
  await page.getByText('Password, One-time code').waitFor();
  await console.close();
});

test('a recovery code is asked for with the keyboard, and is used up', async () => {
  const app = await createWithApp('ben');
  const console = await logIn('ben');
  const { page } = console;
  await console.heading('Second step of the login');
  await page.getByRole('button', { name: 'Use a recovery code' }).focus();
  await page.keyboard.press('Enter');
  await console.until(async () => (await focused(page)) === 'Recovery code');
  await console.looksRight('login-recovery-code');
  await page.keyboard.press('Enter');
  await problem(page, 'Enter one of your recovery codes.');
  await page.getByRole('button', { name: 'Use your authenticator app' }).click();
  await console.until(async () => (await focused(page)) === 'Code of the app');
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await enter(page, 'Recovery code', app.recoveryCodes[3].toLowerCase().replaceAll('-', ''));
  await console.heading('My account');
  await page.getByText('9 left').waitFor();
  await page.getByText('Password, Recovery code').waitFor();

  const again = await logIn('ben');
  await again.page.getByRole('button', { name: 'Use a recovery code' }).click();
  await enter(again.page, 'Recovery code', app.recoveryCodes[3]);
  await problem(again.page, /4 attempts left/);
  await Promise.all([console.close(), again.close()]);
});

test('the focus moves with what is shown, and is not taken from a user who was faster', async () => {
  const app = await createWithApp('bea');
  const console = await open('/console/account');
  const { page } = console;
  await page.evaluate(() => {
    const observer = new MutationObserver(() => {
      const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Use a recovery code');
      if (!button) return;
      button.focus();
      observer.disconnect();
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
  await console.logIn('bea');
  await page.waitForFunction(() => document.title.startsWith('Second step'));
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Use a recovery code');

  // What has the focus when the keys that follow a click arrive.
  const focusedAfterClick = name =>
    page.getByRole('button', { name, exact: true }).evaluate(async button => {
      button.click();
      await new Promise(queueMicrotask);
      const { activeElement } = document;
      return activeElement.closest('dialog') ? 'dialog' : activeElement.labels?.[0]?.textContent;
    });
  assert.equal(await focusedAfterClick('Use a recovery code'), 'Recovery code');
  await enter(page, 'Recovery code', app.recoveryCodes[0]);
  await console.heading('My account');
  assert.equal(await focusedAfterClick('Change password'), 'dialog');
  await console.close();
});

test('after five wrong codes, and after the login has expired, it begins again', async () => {
  const app = await createWithApp('cleo');
  const console = await logIn('cleo');
  const { page } = console;
  await console.heading('Second step of the login');
  for (const left of ['4 attempts', '3 attempts', '2 attempts', '1 attempt']) {
    await enter(page, 'Code of the app', await app.wrong());
    await problem(page, `${left} left.`);
  }
  await enter(page, 'Code of the app', await app.wrong());
  await console.heading('Log in');
  await said(page, 'Too many wrong codes. Begin again.');

  await console.logIn('cleo');
  await console.heading('Second step of the login');
  await page.context().clearCookies();
  await enter(page, 'Code of the app', await app.next());
  await console.heading('Log in');
  await said(page, 'The login has expired. Begin again.');
  await console.looksRight('login-expired');
  await console.close();
});

test('where a second factor is required, the login adds an app and shows the recovery codes once', async () => {
  const strict = await start('--second-factor', 'required');
  const console = await openConsole(browser, strict, '/console/account');
  const { page } = console;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await console.logIn('admin');
  await console.heading('Add an authenticator app');
  await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
  await console.looksRight('login-add-app');
  const secret = (await page.getByLabel('Secret', { exact: true }).textContent()).replaceAll(' ', '');
  await page.getByRole('button', { name: 'Copy' }).click();
  await said(page, 'Copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  const uri = await page.getByRole('link', { name: 'Open an app on this device' }).getAttribute('href');
  assert.ok(uri.startsWith('otpauth://totp/') && uri.includes(secret), uri);
  const app = createApp(secret);
  await enter(page, 'Code of the app', await app.wrong());
  await problem(page, 'The code is wrong. Enter the code that the app shows now.');
  await enter(page, 'Code of the app', await app.next());

  await console.heading('Save your recovery codes');
  const codes = await page.locator('.recovery-codes li').allTextContents();
  assert.equal(new Set(codes).size, 10);
  await console.looksRight('login-recovery-codes');
  await page.getByRole('button', { name: 'Copy' }).click();
  await said(page, 'Copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), codes.join('\n'));
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'sallyport-recovery-codes-admin.txt');
  const text = readFileSync(await file.path(), 'utf8');
  assert.ok(text.includes('recovery codes of admin') && codes.every(code => text.includes(code)), text);
  await page.evaluate(() => (globalThis.print = () => (document.title = 'printed')));
  await page.getByRole('button', { name: 'Print' }).click();
  assert.equal(await page.title(), 'printed');
  await page.emulateMedia({ media: 'print' });
  assert.ok(await page.getByText(codes[0]).isVisible());
  assert.ok(await page.getByText('Sallyport: recovery codes of admin').isVisible());
  assert.ok(!(await page.getByRole('heading', { level: 1, includeHidden: true }).isVisible()));
  await page.emulateMedia({ media: 'screen' });

  await page.getByRole('button', { name: 'Continue' }).click();
  await problem(page, 'Save the codes first, then check the box.');
  await page.getByLabel('I have saved the recovery codes').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await console.heading('My account');
  await page.getByText('Required', { exact: true }).waitFor();
  await page.getByText('10 left').waitFor();
  assert.equal(await page.getByText(codes[0]).count(), 0);

  // It is the last factor of an account that needs one.
  await page.getByRole('button', { name: 'Remove app' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove app' }).click();
  await problem(page, 'The account needs a second factor.');
  await console.close();
  await strict.stop();
});

test('a user adds an app, renews the recovery codes, replaces the app and removes it', async () => {
  await createUser(service, 'dan', admin.accessToken);
  const console = await logIn('dan');
  const { page } = console;
  const dialog = name => page.getByRole('dialog', { name });
  const proof = dialog('Confirm that it is you');
  const codesDialog = dialog('Save your recovery codes');
  const readCodes = async () => {
    await codesDialog.waitFor();
    const codes = await codesDialog.locator('li').allTextContents();
    // Escape does not lose them.
    await page.keyboard.press('Escape');
    await codesDialog.getByLabel('I have saved the recovery codes').check();
    return codes;
  };
  await page.getByText('One factor', { exact: true }).waitFor();
  await console.looksRight('account-no-factor');
  await page.getByRole('button', { name: 'Add authenticator app' }).click();
  const secretIn = async name => (await dialog(name).getByLabel('Secret', { exact: true }).textContent()).replaceAll(' ', '');
  const app = createApp(await secretIn('Add authenticator app'));
  await console.looksRight('account-add-app');
  await dialog('Add authenticator app').getByLabel('Code of the app').fill(await app.next());
  await page.keyboard.press('Enter');
  await said(page, 'Added the authenticator app.');
  const first = await readCodes();
  assert.equal(first.length, 10);
  await console.looksRight('account-recovery-codes');
  await codesDialog.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('10 left').waitFor();
  await page.reload();
  await page.getByText('10 left').waitFor();
  assert.equal(await page.getByText(first[0]).count(), 0);

  // The session has shown one factor so far: a password is not enough, and neither is closing the dialog.
  await page.getByRole('button', { name: 'New recovery codes' }).click();
  await dialog('New recovery codes').getByRole('button', { name: 'Create codes' }).click();
  await proof.getByText('A recovery code is not enough.').waitFor();
  await console.until(async () => (await focused(page)) === 'Code of the app');
  assert.equal(await proof.getByRole('button').count(), 2);
  await console.looksRight('reauthentication-factor');
  await page.keyboard.press('Escape');
  await problem(page, 'nothing was changed');
  await dialog('New recovery codes').getByRole('button', { name: 'Create codes' }).click();
  await enter(page, 'Code of the app', await app.wrong());
  await problem(proof, /code is wrong/);
  await enter(page, 'Code of the app', await app.next());
  const second = await readCodes();
  assert.equal(second.length, 10);
  assert.ok(!first.some(code => second.includes(code)));
  await codesDialog.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Two factors', { exact: true }).waitFor();
  await console.looksRight('account-factors');

  await page.getByRole('button', { name: 'Replace app' }).click();
  const next = createApp(await secretIn('Replace app'));
  await dialog('Replace app').getByLabel('Code of the app').fill(await next.next());
  await page.keyboard.press('Enter');
  await said(page, 'Replaced the authenticator app.');
  assert.equal(await codesDialog.count(), 0);

  await page.getByRole('button', { name: 'Remove app' }).click();
  await dialog('Remove app').getByText('your recovery codes are deleted, too').waitFor();
  await console.looksRight('account-remove-app');
  await dialog('Remove app').getByRole('button', { name: 'Remove app' }).click();
  await said(page, 'Removed the authenticator app.');
  await page.getByRole('button', { name: 'Add authenticator app' }).waitFor();
  await console.close();
});

test('a change that needs a fresh login takes the app, the password or a code by e-mail', async () => {
  const app = await createWithApp('eve');
  const console = await logIn('eve');
  const { page } = console;
  await enter(page, 'Code of the app', await app.next());
  await console.heading('My account');
  const proof = page.getByRole('dialog', { name: 'Confirm that it is you' });
  const exportData = async () => {
    await page.route('**/graphql', async (route, request) => {
      if (!request.postData()?.includes('mutation ExportAccount')) return route.fallback();
      const extensions = { code: 'UNAUTHENTICATED', reason: 'REAUTHENTICATION_REQUIRED', maxAge: 300 };
      await route.fulfill({ json: { data: null, errors: [{ message: 'Log in again.', extensions }] } });
      await page.unroute('**/graphql');
    });
    await page.getByRole('button', { name: 'Export data' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Download file' }).click();
    await console.until(async () => (await focused(page)) === 'Code of the app');
  };
  await exportData();
  await console.looksRight('reauthentication-app');
  await proof.getByRole('button', { name: 'Use your password' }).click();
  await console.until(async () => (await focused(page)) === 'Password');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await exportData();
  await proof.getByRole('button', { name: 'Send a code by e-mail instead' }).click();
  await proof.getByText('A code was sent to your e-mail address.').waitFor();
  await proof.getByLabel('Code').fill((await receive(service, 'eve@example.org', 'reauthenticate')).code);
  await page.keyboard.press('Enter');
  await said(page, 'Exported your data.');
  await exportData();
  await enter(page, 'Code of the app', await app.next());
  await said(page, 'Exported your data.');
  await console.close();
});

test('an administrator sees the factors of users and resets those of one', async () => {
  const app = await createWithApp('fay');
  const fay = await logIn('fay');
  await enter(fay.page, 'Code of the app', await app.next());
  await fay.heading('My account');
  await createUser(service, 'gus', admin.accessToken);
  const console = await logIn('admin', '/console/users');
  const { page } = console;
  const row = rowOf(page, 'fay');
  await row.getByText(/^App since/).waitFor();
  await row.getByText('10 recovery codes').waitFor();
  assert.equal(await rowOf(page, 'gus').getByRole('button', { name: 'Reset factors' }).count(), 0);
  await console.looksRight('users-factors');
  await row.getByRole('button', { name: 'Reset factors' }).click();
  const dialog = page.getByRole('dialog', { name: 'Reset the second factors of fay' });
  await dialog.getByText('This ends 2 sessions immediately.').waitFor();
  await dialog.getByLabel('Note (visible to the user)').fill('Lost the phone, seen in person');
  await console.looksRight('users-reset-factors');
  await dialog.getByRole('button', { name: 'Reset factors' }).click();
  await said(page, 'Reset the second factors of fay. Ended 2 sessions.');
  await row.getByRole('button', { name: 'Reset factors' }).waitFor({ state: 'detached' });
  await row.getByText('None', { exact: true }).waitFor();
  await fay.page.getByText('an administrator removed your second factors').waitFor();

  // The password alone does not let anybody in.
  await fay.logIn('fay');
  await fay.heading('Enter the code from your e-mail');
  await fay.page.getByLabel('Code').fill((await receive(service, 'fay@example.org', 'login')).code);
  await fay.page.keyboard.press('Enter');
  await fay.heading('My account');
  await fay.page.getByRole('cell', { name: /seen in person/ }).first().waitFor();
  const { data } = await send(service, '{ user(username: "fay") { secondFactors { totpSince recoveryCodesLeft } } }', {}, admin.accessToken);
  assert.deepEqual(data.user.secondFactors, { totpSince: null, recoveryCodesLeft: 0 });
  await Promise.all([console.close(), fay.close()]);
});
