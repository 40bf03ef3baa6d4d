// Second factors on the service's own pages for the links in e-mails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { PASSWORD, createVerifiedUser, login, receive, send, start } from './service.js';
import { addApp, createApp } from './totp.js';

let service;
let browser;
let admin;
let open;

before(async () => {
  [service, browser] = await Promise.all([start('--console', 'false'), launch()]);
  admin = await login(service);
  open = (path, options) => openConsole(browser, service, path, options);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

// The page asks whether there is a console.
const noConsole = { expected: /404/ };
const problem = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

async function createWithApp(username) {
  await createVerifiedUser(service, username, admin.accessToken);
  return addApp(service, (await login(service, username)).accessToken);
}

// Opens the page of the link in an e-mail that this mutation requests.
async function openLink(mutation, page, username, options, to = service) {
  await send(to, `mutation($username: String!) { ${mutation}(input: { username: $username }) { errors { code } } }`, { username });
  const { token } = await receive(to, `${username}@example.org`, page);
  return openConsole(browser, to, `/account/${page}#token=${token}`, options);
}

async function enter(page, label, code) {
  await page.getByLabel(label).fill(code);
  await page.keyboard.press('Enter');
}

test('a login by a link asks for the app, too', async () => {
  const app = await createWithApp('amy');
  const person = await openLink('requestEmailLogin', 'login', 'amy');
  const { page } = person;
  await page.getByRole('button', { name: 'Log in' }).click();
  await person.heading('Second step of the login');
  await person.looksRight('link-second-step');
  await enter(page, 'Code of the app', await app.wrong());
  await problem(page, 'The code is wrong. Enter it again. 4 attempts left.');
  await enter(page, 'Code of the app', await app.next());
  await person.heading('You are logged in');
  await person.close(noConsole);
});

test('a new password does not replace the app, and a recovery code does', async () => {
  const app = await createWithApp('ben');
  const set = async person => {
    await person.page.getByLabel('New password', { exact: true }).fill(`${PASSWORD}-ben`);
    await person.page.getByLabel('New password again').fill(`${PASSWORD}-ben`);
    await person.page.keyboard.press('Enter');
    await person.heading('Second step of the login');
  };
  const person = await openLink('requestPasswordReset', 'reset', 'ben');
  await set(person);
  await person.page.getByText('Your new password is set.').waitFor();
  await person.looksRight('reset-second-step');
  for (const left of [4, 3, 2, 1]) {
    await enter(person.page, 'Code of the app', await app.wrong());
    await problem(person.page, `${left} attempt`);
  }
  await enter(person.page, 'Code of the app', await app.wrong());
  await person.heading('Your new password is set');
  await person.page.getByText('The login was not completed').waitFor();
  await person.looksRight('reset-not-logged-in');
  await person.close();

  const again = await openLink('requestPasswordReset', 'reset', 'ben');
  await set(again);
  await again.page.getByRole('button', { name: 'Use a recovery code' }).click();
  await enter(again.page, 'Recovery code', app.recoveryCodes[0]);
  await again.heading('Your new password is set');
  await again.page.getByText('You are logged in in this browser.').waitFor();
  await again.close(noConsole);
});

test('a login by a link that has expired begins again', async () => {
  const app = await createWithApp('cleo');
  const person = await openLink('requestEmailLogin', 'login', 'cleo');
  await person.page.getByRole('button', { name: 'Log in' }).click();
  await person.heading('Second step of the login');
  await person.page.context().clearCookies();
  await enter(person.page, 'Code of the app', await app.next());
  await person.heading('Log in by e-mail');
  await person.page.getByRole('status').filter({ hasText: 'The login has expired.' }).waitFor();
  await person.close();
});

test('where a second factor is required, a login by a link adds an app; all of it is in Korean, too', async () => {
  const strict = await start('--second-factor', 'admins');
  const { accessToken } = await enrollAdmin(strict);
  const userId = await createVerifiedUser(strict, 'dan', accessToken);
  await send(strict, 'mutation($userId: ID!) { updateUser(input: { userId: $userId, role: ADMIN }) { errors { message } } }', { userId }, accessToken);
  const person = await openLink('requestEmailLogin', 'login', 'dan', { locale: 'ko-KR' }, strict);
  const { page } = person;
  const latin = async (...known) => {
    let text = await page.locator('main').innerText();
    for (const name of [...known, 'Sallyport', 'QR']) text = text.replaceAll(name, '');
    assert.equal(/[A-Za-z]{3,}/.exec(text), null, `untranslated: ${text}`);
  };
  await page.getByRole('button', { name: '로그인' }).click();
  await person.heading('인증 앱 추가');
  const shown = await page.getByLabel('비밀 키', { exact: true }).textContent();
  await latin(shown);
  await person.looksRight('link-add-app-korean');
  const app = createApp(shown.replaceAll(' ', ''));
  await enter(page, '앱의 코드', await app.wrong());
  await problem(page, '올바르지 않습니다');
  await enter(page, '앱의 코드', await app.next());
  await person.heading('복구 코드를 저장해 주십시오');
  const codes = await page.locator('.recovery-codes li').allTextContents();
  assert.equal(codes.length, 10);
  await latin(...codes);
  await person.looksRight('link-recovery-codes-korean');
  await page.getByLabel('복구 코드를 저장했습니다').check();
  await page.getByRole('button', { name: '계속' }).click();
  await person.heading('로그인되었습니다');
  await person.close();

  const next = await openLink('requestEmailLogin', 'login', 'dan', { locale: 'ko-KR' }, strict);
  await next.page.getByRole('button', { name: '로그인' }).click();
  await next.heading('추가 인증');
  await next.looksRight('link-second-step-korean');
  await next.page.getByRole('button', { name: '복구 코드 사용하기' }).click();
  await enter(next.page, '복구 코드', codes[9]);
  await next.heading('로그인되었습니다');
  await next.close();
  await strict.stop();
});

// Logs the administrator in, who has to add an app for that.
async function enrollAdmin(to) {
  const { data } = await send(to, `mutation($password: String!) {
    login(input: { username: "admin", password: $password }) { challenge { challengeToken } }
  }`, { password: PASSWORD });
  const begun = await send(to, 'mutation($token: String) { beginTotp(challengeToken: $token) { challengeToken secret } }', { token: data.login.challenge.challengeToken });
  const { challengeToken, secret } = begun.data.beginTotp;
  const confirmed = await send(
    to,
    `mutation($challengeToken: String!, $code: String!) {
      confirmTotp(input: { challengeToken: $challengeToken, code: $code }) { login { tokens { accessToken } } }
    }`,
    { challengeToken, code: await createApp(secret).next() },
  );
  return confirmed.data.confirmTotp.login.tokens;
}
