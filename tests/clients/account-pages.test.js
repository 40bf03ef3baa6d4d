// The service's own pages for the links in e-mails, as people and as programs that check links open them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.js';
import { openConsole } from './console.js';
import { PASSWORD, createUser, createVerifiedUser, login, receive, send, start, startAgain } from './service.js';

let service;
let browser;
let admin;
let open;

before(async () => {
  // Without the console: the pages need none of it.
  [service, browser] = await Promise.all([start('--console', 'false'), launch()]);
  admin = await login(service);
  open = (path, options) => openConsole(browser, service, path, options);
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const at = (page, { token }) => `/account/${page}#token=${token}`;
// The page asks whether there is a console.
const noConsole = { expected: /404/ };

const request = async (mutation, username, to = service) =>
  send(to, `mutation($username: String!) { ${mutation}(input: { username: $username }) { challenge { challengeToken } errors { code } } }`, { username });

async function requestedReset(username) {
  await request('requestPasswordReset', username);
  return receive(service, `${username}@example.org`, 'reset');
}

async function requestedLogin(username) {
  await request('requestEmailLogin', username);
  return receive(service, `${username}@example.org`, 'login');
}

const canLogIn = async (username, password) => {
  const { data } = await send(service, `mutation($username: String!, $password: String!) {
    login(input: { username: $username, password: $password }) { tokens { accessToken } errors { code } }
  }`, { username, password });
  return Boolean(data.login.tokens);
};

async function setPassword(page, first, second = first) {
  await page.getByLabel('New password', { exact: true }).fill(first);
  await page.getByLabel('New password again').fill(second);
  await page.getByRole('button', { name: 'Set password' }).click();
}

const problem = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();

test('a program that opens links and runs their scripts, but presses nothing, leaves them good', async () => {
  await createVerifiedUser(service, 'sara', admin.accessToken);
  const [reset, logIn] = [await requestedReset('sara'), await requestedLogin('sara')];
  for (const [page, mail] of [['reset', reset], ['login', logIn]]) {
    const scanner = await browser.newContext();
    const tab = await scanner.newPage();
    const sent = [];
    tab.on('request', request => request.method() !== 'GET' && sent.push(`${request.method()} ${request.url()}`));
    await tab.goto(service.url + at(page, mail));
    await tab.getByRole('heading', { level: 1 }).waitFor();
    await tab.waitForLoadState('networkidle');
    // It scrolls, moves the pointer, focuses every control and follows the links of the page.
    await tab.mouse.wheel(0, 2_000);
    for (const control of await tab.locator('button, input').all()) await control.hover();
    for (const control of await tab.locator('button, input').all()) await control.focus();
    for (const link of await tab.locator('a[href]').evaluateAll(found => found.map(({ href }) => href))) await fetch(link);
    await tab.reload();
    await tab.waitForLoadState('networkidle');
    assert.deepEqual(sent, [], page);
    await scanner.close();
    for (const method of ['GET', 'HEAD', 'OPTIONS']) await fetch(service.url + at(page, mail), { method });
  }
  const person = await open(at('login', logIn));
  await person.page.getByRole('button', { name: 'Log in' }).click();
  await person.heading('You are logged in');
  await person.close(noConsole);
  const other = await open(at('reset', reset));
  await setPassword(other.page, `${PASSWORD}-sara`);
  await other.heading('Your new password is set');
  await other.close(noConsole);
  assert.ok(await canLogIn('sara', `${PASSWORD}-sara`));
});

test('the token is removed from the address bar and the history, and is not stored', async () => {
  await createVerifiedUser(service, 'tom', admin.accessToken);
  const mail = await requestedReset('tom');
  const person = await open(at('reset', mail));
  const { page } = person;
  await person.heading('Set a new password');
  assert.equal(page.url(), `${service.url}/account/reset`);
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state), document.cookie, document.documentElement.outerHTML].join());
  assert.ok(!kept.includes(mail.token));
  await page.goto(`${service.url}/account/login`);
  await person.heading('Log in by e-mail');
  await page.goBack();
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(page.url(), `${service.url}/account/reset`);
  // Another link in the same tab changes only the fragment.
  await page.goto(service.url + at('reset', mail));
  await person.heading('Set a new password');
  await person.until(async () => page.url() === `${service.url}/account/reset`);
  await person.close();
});

test('a link sets a password after what is wrong with it was said, and only once', async () => {
  await createVerifiedUser(service, 'ursula', admin.accessToken);
  const session = await login(service, 'ursula');
  const mail = await requestedReset('ursula');
  const person = await open(at('reset', mail));
  const { page } = person;
  await page.getByRole('button', { name: 'Set password' }).click();
  await problem(page, 'Enter the new password twice.');
  await setPassword(page, `${PASSWORD}-1`, `${PASSWORD}-2`);
  await problem(page, 'The two passwords are different.');
  await setPassword(page, 'password');
  await problem(page, 'easy to guess');
  await person.looksRight('reset');
  await setPassword(page, `${PASSWORD}-3`);
  await person.heading('Your new password is set');
  await person.looksRight('reset-done');
  await person.close(noConsole);
  assert.ok(await canLogIn('ursula', `${PASSWORD}-3`));
  const { errors } = await send(service, '{ viewer { id } }', {}, session.accessToken);
  assert.equal(errors[0].extensions.reason, 'SESSION_ENDED');

  const again = await open(at('reset', mail));
  await setPassword(again.page, `${PASSWORD}-4`);
  await again.heading('Reset your password');
  await again.page.getByRole('status').filter({ hasText: 'used before or has expired' }).waitFor();
  await again.looksRight('reset-expired');
  await again.close();
  assert.ok(!(await canLogIn('ursula', `${PASSWORD}-4`)));
});

test('without a link a code sets the password, and a wrong code costs an attempt', async () => {
  await createVerifiedUser(service, 'victor', admin.accessToken);
  const person = await open('/account/reset');
  const { page } = person;
  await person.looksRight('reset-request');
  await page.getByRole('button', { name: 'Send e-mail' }).click();
  await problem(page, 'Enter your username or e-mail address.');
  await page.getByLabel('Username or e-mail address').fill('victor@example.org');
  await page.keyboard.press('Enter');
  await page.getByText('v***@example.org').waitFor();
  const { code } = await receive(service, 'victor@example.org', 'reset');
  const field = page.getByLabel('Code');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await field.getAttribute('inputmode'), 'numeric');
  await person.looksRight('reset-code');
  await field.fill(code === '00000000' ? '11111111' : '00000000');
  await setPassword(page, `${PASSWORD}-v`);
  await problem(page, /code is wrong/);
  // As it is copied from a mail program.
  await field.fill(` ${code.slice(0, 4)} ${code.slice(4)} `);
  await setPassword(page, `${PASSWORD}-v`);
  await person.heading('Your new password is set');
  await person.close(noConsole);
  assert.ok(await canLogIn('victor', `${PASSWORD}-v`));
});

test('a name that has no account is answered as any other', async () => {
  const person = await open('/account/login');
  await person.page.getByLabel('Username or e-mail address').fill('nobody@example.org');
  await person.page.keyboard.press('Enter');
  await person.page.getByText('n***@example.org').waitFor();
  await person.page.getByLabel('Code').fill('12345678');
  await person.page.keyboard.press('Enter');
  await problem(person.page, /\w/);
  await person.page.getByRole('button', { name: 'Request another e-mail' }).click();
  assert.equal(await person.page.getByLabel('Username or e-mail address').inputValue(), 'nobody@example.org');
  await person.close();
});

test('a code logs in with the keyboard alone', async () => {
  await createVerifiedUser(service, 'wanda', admin.accessToken);
  const person = await open('/account/login');
  const { page } = person;
  await person.heading('Log in by e-mail');
  await page.keyboard.press('Tab');
  await page.keyboard.type('wanda@example.org');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.getByLabel('Code').waitFor();
  // The focus is at the heading of the new view.
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  const { code } = await receive(service, 'wanda@example.org', 'login');
  await page.keyboard.press('Tab');
  await page.keyboard.type(code);
  await page.keyboard.press('Enter');
  await person.heading('You are logged in');
  const cookies = await page.context().cookies();
  assert.ok(cookies.some(({ name, httpOnly, sameSite }) => name.endsWith('sallyport-refresh') && httpOnly && sameSite === 'Strict'));
  await person.close(noConsole);
});

test('the first proof in another browser removes the password, and says so', async () => {
  await send(service, `mutation($userId: ID!) { updateUser(input: { userId: $userId, email: "xena@example.org" }) { errors { message } } }`, {
    userId: await createUser(service, 'xena', admin.accessToken),
  }, admin.accessToken);
  const { accessToken } = await login(service, 'xena');
  await send(service, 'mutation { requestEmailVerification { errors { code } } }', {}, accessToken);
  const mail = await receive(service, 'xena@example.org', 'verify');
  const person = await open(at('verify', mail));
  await person.looksRight('verify');
  await person.page.getByRole('button', { name: 'Verify address' }).click();
  await person.heading('Your e-mail address is verified');
  await person.page.getByText('the old password was removed').waitFor();
  await person.looksRight('verify-ended');
  await person.page.getByRole('link', { name: 'Reset password' }).click();
  await person.heading('Reset your password');
  await person.close();
  assert.ok(!(await canLogIn('xena', PASSWORD)));

  const late = await open(at('verify', mail));
  await late.page.getByRole('button', { name: 'Verify address' }).click();
  await late.heading('Log in by e-mail');
  await late.page.getByRole('status').filter({ hasText: 'verifies the address as well' }).waitFor();
  await late.close();
});

test('a change of the address is confirmed by its link, and taken back by that to the old address', async () => {
  await createVerifiedUser(service, 'yves', admin.accessToken);
  const { accessToken } = await login(service, 'yves');
  await send(service, 'mutation { requestEmailChange(input: { email: "yves@example.net" }) { errors { code } } }', {}, accessToken);
  const change = await receive(service, 'yves@example.net', 'change');
  const notice = await receive(service, 'yves@example.org', 'notice-email-change');
  const email = async () => (await send(service, '{ user(username: "yves") { email } }', {}, admin.accessToken)).data.user.email;

  const person = await open(at('verify', change));
  await person.page.getByRole('button', { name: 'Verify address' }).click();
  await person.heading('Your e-mail address is changed');
  // This browser is not the one that asked for it, so nobody is left in the account.
  await person.page.getByText('If your password is no longer accepted').waitFor();
  assert.equal(await email(), 'yves@example.net');
  assert.equal(await canLogIn('yves', PASSWORD), false);

  await person.page.goto(service.url + at('revert', notice));
  await person.heading('Keep your old e-mail address');
  await person.looksRight('revert');
  await person.page.getByRole('button', { name: 'Restore old address' }).click();
  await person.heading('Your old e-mail address is restored');
  await person.page.getByText('There were no sessions to end.').waitFor();
  await person.looksRight('revert-done');
  assert.equal(await email(), 'yves@example.org');

  await person.page.goto(service.url + at('revert', notice));
  await person.page.getByRole('button', { name: 'Restore old address' }).click();
  await person.heading('The link has expired');
  await person.close();
});

test('a page whose link lost its token says so', async () => {
  for (const path of ['/account/verify', '/account/revert#', '/account/verify#token=']) {
    const person = await open(path);
    await person.heading('The link is incomplete');
    assert.equal(await person.page.getByRole('button').count(), 0);
    await person.close();
  }
});

test('the pages are in Korean for those whose browser prefers it, and in English for all others', async () => {
  await createVerifiedUser(service, 'zoe', admin.accessToken);
  const mail = await requestedReset('zoe');
  const person = await open(at('reset', mail), { locale: 'ko-KR' });
  const { page } = person;
  await person.heading('새 비밀번호 설정');
  assert.equal(await page.getAttribute('html', 'lang'), 'ko');
  await page.getByLabel('새 비밀번호', { exact: true }).fill('password');
  await page.getByLabel('새 비밀번호 확인').fill('password');
  await page.getByRole('button', { name: '비밀번호 설정' }).click();
  await problem(page, '다른 비밀번호를 입력해 주십시오.');
  await person.looksRight('reset-korean');
  for (const [path, title] of [['login', '이메일로 로그인'], ['verify', '링크가 완전하지 않습니다']]) {
    await page.goto(`${service.url}/account/${path}`);
    await person.heading(title);
    await person.looksRight(`${path}-korean`);
  }
  const latin = /[A-Za-z]{3,}/.exec((await page.locator('main').innerText()).replace('Sallyport', ''));
  assert.equal(latin, null, `untranslated: ${latin}`);
  await person.close();
  const other = await open('/account/login', { locale: 'de-DE' });
  await other.heading('Log in by e-mail');
  assert.equal(await other.page.getAttribute('html', 'lang'), 'en');
  await other.close();
});

test('a service that is away costs the link nothing', async () => {
  const first = await start('--console', 'false');
  await createVerifiedUser(first, 'anna', (await login(first)).accessToken);
  await request('requestPasswordReset', 'anna', first);
  const mail = await receive(first, 'anna@example.org', 'reset');
  const person = await openConsole(browser, first, at('reset', mail));
  await person.heading('Set a new password');
  await first.halt();
  await setPassword(person.page, `${PASSWORD}-anna`);
  await problem(person.page, 'The service did not answer');
  const second = await startAgain(first);
  await person.page.getByRole('button', { name: 'Set password' }).click();
  await person.heading('Your new password is set');
  await person.close({ expected: /Failed to load resource/ });
  await second.stop();
});
