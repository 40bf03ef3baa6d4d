// `kill -9` while mails are sent: each mail that was queued arrives.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';

import { startMailServer } from './mail-server.js';
import { createVerifiedUser, emails, login, send, start, startAgain, until } from './service.js';

const KILLS = process.env.SALLYPORT_PROOF === 'long' ? 50 : 10;

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

test(`no mail is lost by ${KILLS} kills`, async t => {
  const server = await startMailServer({ answer: () => pause(randomInt(40)) });
  t.after(server.stop);
  // Requests come from many addresses: the limits of one are not what is tested here.
  let service = await start(...server.flags('smtp+starttls'), '--trusted-proxy', '127.0.0.1');
  t.after(() => service.stop());
  const { accessToken } = await login(service);
  const names = Array.from({ length: KILLS }, (_, n) => `user${n}`);
  for (const name of names) await createVerifiedUser(service, name, accessToken);

  const queued = [];
  for (const [n, username] of names.entries()) {
    const asked = send(service, `mutation($username: String!) {
      requestEmailLogin(input: { username: $username }) { challenge { challengeToken } errors { code } }
    }`, { username }, undefined, { 'x-forwarded-for': `192.0.2.${n}` });
    const answered = asked.then(({ data }) => data.requestEmailLogin.challenge && queued.push(`${username}@example.org`), () => {});
    await pause(randomInt(400));
    await service.kill();
    await answered;
    service = await startAgain(service);
  }
  assert.ok(queued.length > 0);
  await until(() => queued.every(address => server.mails.some(mail => mail.to.text === address)));
  await until(async () => (await emails(service)).length === 0);
  // A mail that the server took in the instant of a kill is sent again as the same mail.
  const sent = new Map();
  for (const { messageId, to } of server.mails) {
    assert.equal(sent.get(to.text) ?? messageId, messageId);
    sent.set(to.text, messageId);
  }
  t.diagnostic(`${queued.length} mails acknowledged, ${sent.size} sent, ${server.mails.length - sent.size} of them twice`);
});
