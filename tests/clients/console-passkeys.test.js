// Passkeys and trusted devices in the console and on the pages of links, with an authenticator of Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { createUser, createVerifiedUser, login, receive, send, startAtLocalhost } from './service.js';
import { addApp } from './totp.js';

let service;
let browser;
let admin;

before(async () => {
  [service, browser] = await Promise.all([startAtLocalhost(), launch()]);
  admin = await login(service);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const said = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const problem = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

// A browser whose device has passkeys. `isAnswering`: the user agrees to whatever it asks.
async function open(path, { to = service, locale, isAnswering = true } = {}) {
  const console = await openConsole(browser, to, '/console/nothing', { locale });
  const { page } = console;
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: isAnswering };
  const { authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', { options });
  await page.goto(to.url + path);
  return {
    ...console,
    answer: enabled => devTools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    passkeys: async () => (await devTools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: credential => devTools.send('WebAuthn.addCredential', { authenticatorId, credential }),
    forget: credentialId => devTools.send('WebAuthn.removeCredential', { authenticatorId, credentialId }),
  };
}

async function saveCodes(page) {
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await page.getByLabel('I have saved the recovery codes').check();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function addPasskey(console, name) {
  const { page } = console;
  // With the keyboard: a click is repeated where the page is drawn anew under it.
  await page.getByRole('button', { name: 'Add passkey' }).first().press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add passkey' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Add passkey' }).click();
  await said(page, 'Added the passkey.');
}

test('a user adds a passkey, logs in with it, renames it and removes it', async () => {
  await createUser(service, 'amy', admin.accessToken);
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('amy');
  await console.heading('My account');
  await page.getByRole('button', { name: 'Add passkey' }).click();
  await console.looksRight('account-add-passkey');
  await page.keyboard.press('Escape');
  // While it is open, its own button is the only one of that name.
  await page.getByRole('dialog', { name: 'Add passkey' }).waitFor({ state: 'hidden' });
  await addPasskey(console, 'Phone');
  await saveCodes(page);
  await page.getByRole('cell', { name: 'Phone', exact: true }).waitFor();
  assert.equal((await console.passkeys()).length, 1);
  await console.looksRight('account-passkeys');

  await page.getByRole('button', { name: 'Rename: Phone' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Old phone');
  await page.getByRole('button', { name: 'Save name' }).click();
  await said(page, 'Renamed the passkey.');

  await console.answer(false);
  await page.getByRole('button', { name: 'Log out' }).click();
  await console.heading('Log in');
  assert.equal(await page.getByLabel('Username or e-mail address').getAttribute('autocomplete'), 'username webauthn');
  await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor();
  await console.looksRight('login-passkey');
  await console.answer(true);
  await page.getByRole('button', { name: 'Log in with a passkey' }).click();
  await console.heading('My account');
  await page.getByText('Two factors, safe from phishing').waitFor();

  // The login was a second factor of this moment.
  await page.getByRole('button', { name: 'Remove: Old phone' }).click();
  await page.getByRole('dialog').getByText('your recovery codes are deleted, too').waitFor();
  await console.looksRight('account-remove-passkey');
  await page.getByRole('button', { name: 'Remove passkey' }).click();
  await said(page, 'Removed the passkey “Old phone”.');
  await page.getByText('With a passkey you log in without your password').waitFor();
  // The password manager forgets it, too.
  await console.until(async () => (await console.passkeys()).length === 0);
  await console.close();
});

test('a passkey logs in although the request after the login fails', async () => {
  await createUser(service, 'gus', admin.accessToken);
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('gus');
  await console.heading('My account');
  await addPasskey(console, 'Phone');
  await saveCodes(page);
  await console.answer(false);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor();
  await console.answer(true);
  let failed = 0;
  await page.route('**/graphql', route => (route.request().postData()?.includes('AcceptedPasskeys') ? route.abort().then(() => failed++) : route.continue()));
  await page.getByRole('button', { name: 'Log in with a passkey' }).click();
  await console.heading('My account');
  await console.until(() => failed > 0);
  await page.getByText('Two factors, safe from phishing').waitFor();
  await console.close({ expected: /Failed to load resource/ });
});

test('the browser offers passkeys with the username, and the options are renewed before they expire', async () => {
  await createUser(service, 'ben', admin.accessToken);
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('ben');
  await addPasskey(console, 'Laptop');
  await saveCodes(page);
  await console.answer(false);
  const begun = [];
  page.on('request', request => request.postData()?.includes('mutation BeginPasskeyLogin') && begun.push(request));
  await page.getByRole('button', { name: 'Log out' }).click();
  await console.heading('Log in');
  // The page that is about to be left has begun, too.
  await console.until(() => begun.length === 1);
  begun.length = 0;
  await page.clock.install();
  await page.reload();
  await page.getByRole('button', { name: 'Log in with a passkey' }).waitFor();
  assert.equal(begun.length, 1);
  await page.clock.fastForward('07:00');
  assert.equal(begun.length, 1);
  await page.clock.fastForward('01:30');
  await console.until(() => begun.length === 2);
  await page.clock.resume();

  // Nothing is pressed.
  await console.answer(true);
  await page.reload();
  await console.heading('My account');
  await page.getByText('Two factors, safe from phishing').waitFor();
  await console.close();
});

test('a passkey that the service no longer has is refused, and the page goes on', async () => {
  const userId = await createUser(service, 'cleo', admin.accessToken);
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('cleo');
  await addPasskey(console, 'Key');
  await saveCodes(page);
  await console.answer(false);
  await send(service, 'mutation($userId: ID!) { resetUserFactors(input: { userId: $userId }) { endedCount } }', { userId }, admin.accessToken);
  await page.getByText('an administrator removed your second factors').waitFor();
  const use = async () => {
    await console.answer(true);
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await problem(page, /passkey is unknown or was refused/);
    await console.answer(false);
  };
  await use();
  await console.looksRight('login-passkey-refused');
  await console.logIn('cleo');
  await console.heading('My account');
  await console.close();
});

test('a passkey is the second step, or the app instead; a trusted device needs none', async () => {
  await createVerifiedUser(service, 'dan', admin.accessToken);
  const app = await addApp(service, (await login(service, 'dan')).accessToken);
  const console = await open('/console/account');
  const { page } = console;
  await console.logIn('dan');
  await page.getByLabel('Code of the app').fill(await app.next());
  await page.keyboard.press('Enter');
  await addPasskey(console, 'Phone');
  await console.answer(false);
  await page.getByRole('button', { name: 'Log out' }).click();

  await console.logIn('dan');
  await console.heading('Second step of the login');
  await page.getByText('Your browser asks for your passkey').waitFor();
  await console.looksRight('login-passkey-second-step');
  await page.getByRole('button', { name: 'Use your authenticator app' }).click();
  await page.getByLabel('Code of the app').waitFor();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await console.until(() => page.evaluate(() => document.activeElement.textContent === 'Continue'));

  // Without a passkey on this device the browser says so.
  const [{ credentialId, ...kept }] = await console.passkeys();
  await console.forget(credentialId);
  await console.answer(true);
  await page.getByRole('button', { name: 'Continue' }).click();
  await problem(page, 'The browser gave no passkey.');
  await console.add({ credentialId, ...kept });
  await page.getByLabel('Trust this device for 30 days').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await console.heading('My account');
  await page.getByText('Password, Passkey of one device').waitFor();
  await page.getByRole('heading', { name: 'Trusted devices' }).waitFor();
  await console.looksRight('account-trusted-device');

  await console.answer(false);
  await page.getByRole('button', { name: 'Log out' }).click();
  await console.logIn('dan');
  await console.heading('My account');
  await page.getByText('One factor', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^Remove: .*Linux/ }).click();
  await page.getByRole('button', { name: 'Remove trusted device' }).click();
  await said(page, /^Removed the trusted device/);
  await page.getByRole('heading', { name: 'Trusted devices' }).waitFor({ state: 'detached' });

  // A passkey is a proof in a session, too.
  await page.getByRole('button', { name: 'Remove app' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove app' }).click();
  const proof = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await proof.getByText('Your browser asks for your passkey').waitFor();
  await console.looksRight('reauthentication-passkey');
  await console.answer(true);
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await said(page, 'Removed the authenticator app.');
  await console.close();
});

test('where a second factor is required, the login adds a passkey instead of an app', async () => {
  const strict = await startAtLocalhost('--second-factor', 'required');
  const console = await open('/console/account', { to: strict });
  const { page } = console;
  await console.logIn('admin');
  await console.heading('Add an authenticator app');
  await page.getByRole('button', { name: 'Add a passkey instead' }).click();
  await console.heading('Add a passkey');
  await console.looksRight('login-add-passkey');
  await page.getByLabel('Name').fill('Phone');
  await page.getByRole('button', { name: 'Add passkey' }).click();
  await saveCodes(page);
  await console.heading('My account');
  await page.getByRole('cell', { name: 'Phone', exact: true }).waitFor();
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByText('1 passkey', { exact: true }).waitFor();
  await console.looksRight('users-passkeys');
  await console.close();
  await strict.stop();
});

test('the pages of links add a passkey and take it as the second step, in Korean, too', async () => {
  const strict = await startAtLocalhost('--second-factor', 'admins');
  const console = await open('/console/account', { to: strict });
  await console.logIn('admin');
  await console.page.getByRole('button', { name: 'Add a passkey instead' }).click();
  await console.page.getByRole('button', { name: 'Add passkey' }).click();
  await saveCodes(console.page);
  await console.heading('My account');
  const token = console.page.waitForRequest(request => request.headers().authorization);
  await console.page.reload();
  const accessToken = (await token).headers().authorization.replace('Bearer ', '');
  const userId = await createVerifiedUser(strict, 'eve', accessToken);
  await send(strict, 'mutation($userId: ID!) { updateUser(input: { userId: $userId, role: ADMIN }) { errors { message } } }', { userId }, accessToken);
  await console.close();

  const person = await open('/account/login', { to: strict, locale: 'ko-KR' });
  const { page } = person;
  const follow = async () => {
    await send(strict, 'mutation { requestEmailLogin(input: { username: "eve" }) { errors { code } } }');
    const mail = await receive(strict, 'eve@example.org', 'login');
    await page.goto('about:blank');
    await page.goto(`${strict.url}/account/login#token=${mail.token}`);
    await page.getByRole('button', { name: '로그인' }).click();
  };
  await follow();
  await person.heading('인증 앱 추가');
  await page.getByRole('button', { name: '대신 패스키 추가하기' }).click();
  await person.heading('패스키 추가');
  await person.looksRight('link-add-passkey-korean');
  const text = (await page.locator('main').innerText()).replace('Sallyport', '');
  assert.equal(/[A-Z]{4,}|[a-z]{3,}/.exec(text), null, `untranslated: ${text}`);
  await page.getByRole('button', { name: '패스키 추가' }).click();
  await person.heading('복구 코드를 저장해 주십시오');
  await page.getByLabel('복구 코드를 저장했습니다').check();
  await page.getByRole('button', { name: '계속' }).click();
  await person.heading('로그인되었습니다');

  await follow();
  await person.heading('추가 인증');
  await page.getByLabel('30일 동안 이 기기 신뢰하기').check();
  await person.looksRight('link-passkey-korean');
  await page.getByRole('button', { name: '계속' }).click();
  await person.heading('로그인되었습니다');
  await follow();
  await person.heading('로그인되었습니다');
  await person.page.close();
  await strict.stop();
});
