// E-mails as real servers and mail programs read them. What a server may answer otherwise, the tests in Rust play.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { refusal, startMailServer } from './mail-server.js';
import { startPostfix } from './postfix.js';
import { createVerifiedUser, emails, environment, login, send, start, until } from './service.js';

// A service with a user whose address is verified, and the server that its mails go to.
async function withServer(t, { scheme = 'smtp+starttls', flags = [], ...options } = {}) {
  const server = await startMailServer(options);
  t.after(server.stop);
  const service = await start(...server.flags(scheme), ...flags);
  t.after(service.stop);
  await createVerifiedUser(service, 'ada', (await login(service)).accessToken);
  return { server, service };
}

const request = (service, locale, username = 'ada') =>
  send(service, `mutation($username: String!, $locale: String) {
    requestEmailLogin(input: { username: $username, locale: $locale }) { challenge { challengeToken } errors { code } }
  }`, { username, locale });

const sallyport = async (service, ...args) => {
  const run = promisify(execFile)(process.env.SALLYPORT_BINARY, args, { cwd: tmpdir(), env: environment(service.database) });
  return run.catch(error => error);
};

const only = async service => {
  const all = (await emails(service)).filter(mail => mail.purpose === 'login');
  return all.length === 1 ? all[0] : undefined;
};

for (const [scheme, secure] of [['smtp+starttls', false], ['smtps', true]]) {
  test(`a mail is sent by ${scheme} with a login, and mail programs read it`, async t => {
    const { server, service } = await withServer(t, { scheme, secure, flags: ['--email-from', 'Ädä <no-reply@mail.example>'] });
    await request(service);
    await until(() => server.mails.length === 1);
    const [mail] = server.mails;
    assert.equal(mail.user, 'sallyport');
    assert.ok(mail.secure);
    assert.deepEqual(mail.from.value, [{ name: 'Ädä', address: 'no-reply@mail.example' }]);
    assert.equal(mail.to.text, 'ada@example.org');
    assert.match(mail.messageId, /^<[\w-]+@mail\.example>$/);
    assert.equal(mail.headers.get('auto-submitted'), 'auto-generated');
    assert.ok(Math.abs(mail.date - Date.now()) < 600_000, mail.date);
    assert.match(mail.code, /^\d{8}$/);
    assert.ok(mail.link.startsWith('http://127.0.0.1:8000/account/login#token='), mail.link);
    const html = mail.html.replaceAll('&#x2f;', '/');
    assert.ok(html.includes(mail.code) && html.includes(`href="${mail.link}"`), html);
    // Servers between need not support more.
    assert.doesNotMatch(mail.raw, /[^\x00-\x7f]/);
    for (const line of mail.raw.split('\r\n')) assert.ok(line.length <= 998, line);
    // Nothing is left of a mail that was sent.
    await until(async () => (await emails(service)).length === 0);
  });
}

test('a mail in Korean arrives as it was written', async t => {
  const { server, service } = await withServer(t);
  await request(service, 'ko-KR');
  await until(() => server.mails.length === 1);
  const [mail] = server.mails;
  assert.match(mail.subject, /^[\p{Script=Hangul}\p{P}\d\s\w]*\p{Script=Hangul}[\p{Script=Hangul}\p{P}\d\s\w]*$/u);
  assert.match(mail.text, /\p{Script=Hangul}/u);
  assert.match(mail.html, /<html[^>]* lang="?ko/);
  assert.doesNotMatch(mail.raw, /[^\x00-\x7f]/);
});

test('a mail that the server refuses for now is sent once it takes it, and once', async t => {
  const answer = (_, tries) => {
    if (tries === 1) throw refusal(451, 'come back later');
  };
  const { server, service } = await withServer(t, { answer });
  await request(service);
  await until(async () => (await only(service))?.last_error);
  const waiting = await only(service);
  assert.equal(waiting.state, 'PENDING');
  assert.match(waiting.last_error, /451 come back later/);
  assert.match((await sallyport(service, 'email', 'retry')).stdout, /^Queued 1 e-mail/);
  await until(async () => (await emails(service)).length === 0);
  assert.equal(server.mails.length, 1);
});

test('a mail that the server refuses for good is shown as failed', async t => {
  const answer = () => {
    throw refusal(554, 'no such content here');
  };
  const { server, service } = await withServer(t, { answer });
  await request(service);
  await until(async () => (await only(service))?.state === 'FAILED');
  assert.match((await only(service)).last_error, /554 no such content here/);
  assert.deepEqual([...server.tries.values()], [1]);
  // The log is read by more people than the outbox.
  assert.doesNotMatch(service.log(), /ada@example\.org|no such content/);
});

test('a server that hangs in one mail takes others', async t => {
  let hung = 0;
  const answer = mail => (mail.to.text === 'ada@example.org' ? new Promise(() => (hung += 1)) : undefined);
  const { server, service } = await withServer(t, { answer, closeTimeout: 100 });
  await createVerifiedUser(service, 'bob', (await login(service)).accessToken);
  await request(service);
  await until(() => hung === 1);
  await request(service, null, 'bob');
  await until(() => server.mails.length === 1);
  assert.equal(server.mails[0].to.text, 'bob@example.org');
});

test('no mail and no password goes to a server whose certificate has another name', async t => {
  for (const [scheme, secure] of [['smtp+starttls', false], ['smtps', true]]) {
    const { server, service } = await withServer(t, { scheme, secure, name: 'other.example' });
    await request(service);
    await until(async () => (await only(service))?.last_error);
    assert.match((await only(service)).last_error, /certificate/i);
    assert.equal(server.tries.size, 0);
    const tried = await sallyport(service, 'email', 'test', 'ada@example.org', ...server.flags(scheme));
    assert.match(tried.stderr, /certificate/i);
  }
});

test('a wrong password for the server is reported without the password', async t => {
  const { server, service } = await withServer(t, { onAuth: (_, __, done) => done(refusal(535, 'wrong user or password')) });
  const tried = await sallyport(service, 'email', 'test', 'ada@example.org', ...server.flags('smtp+starttls'));
  assert.equal(tried.code, 1);
  assert.match(tried.stderr, /The login was refused by the server: 535/);
  assert.doesNotMatch(tried.stderr, /mail-hunter/);
});

test('mails wait for a server that is away', async t => {
  const reserved = createServer();
  const port = await new Promise(resolve => reserved.listen(0, () => resolve(reserved.address().port)));
  await new Promise(resolve => reserved.close(resolve));
  const service = await start('--smtp-url', `smtp://localhost:${port}`);
  t.after(service.stop);
  await createVerifiedUser(service, 'ada', (await login(service)).accessToken);
  await request(service);
  await until(async () => (await only(service))?.last_error);
  assert.match((await only(service)).last_error, /refused/);
  // Logins do not wait for mails.
  assert.ok((await login(service)).accessToken);
  assert.equal((await fetch(`${service.url}/readyz`)).status, 200);
});

test('Postfix on the same machine relays mails', async t => {
  const server = await startMailServer({ authOptional: true });
  t.after(server.stop);
  const postfix = await startPostfix(server.port);
  t.after(postfix.stop);
  const service = await start('--smtp-url', `smtp://localhost:${postfix.port}`);
  t.after(service.stop);
  await createVerifiedUser(service, 'ada', (await login(service)).accessToken);
  await request(service, 'ko');
  await until(() => server.mails.length === 1);
  assert.match(server.mails[0].subject, /\p{Script=Hangul}/u);
  assert.match(server.mails[0].code, /^\d{8}$/);
  assert.ok(server.mails[0].headers.get('received').includes('Postfix'));
});
