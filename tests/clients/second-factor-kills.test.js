// `kill -9` while factors are added and used: an account has a factor with its ten recovery codes, or none; and
// each recovery code logs in once.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';

import { createUser, login, PASSWORD, send, start, startAgain } from './service.js';
import { addApp, createApp } from './totp.js';

const KILLS = process.env.SALLYPORT_PROOF === 'long' ? 40 : 8;

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// Sends until the service is killed, and answers with what it was told.
async function untilKilled(service, requests) {
  const answers = Promise.all(requests.map(request => request().catch(() => undefined)));
  await pause(randomInt(100));
  await service.kill();
  return (await answers).filter(Boolean);
}

const FIRST = `mutation($username: String!, $password: String!) {
  login(input: { username: $username, password: $password }) {
    tokens { accessToken } challenge { challengeToken } errors { code }
  }
}`;

const firstStep = async (service, username) =>
  (await send(service, FIRST, { username, password: PASSWORD })).data.login;

const continueLogin = async (service, challengeToken, recoveryCode) => {
  const { data } = await send(
    service,
    `mutation($challengeToken: String!, $recoveryCode: String!) {
      continueLogin(input: { challengeToken: $challengeToken, proof: { recoveryCode: $recoveryCode } }) {
        tokens { accessToken } errors { code }
      }
    }`,
    { challengeToken, recoveryCode },
  );
  return data?.continueLogin;
};

test(`an enrollment that is killed ${KILLS} times is whole or nothing`, async t => {
  let service = await start();
  t.after(() => service.stop());
  const { accessToken } = await login(service);
  const names = Array.from({ length: KILLS }, (_, n) => `user${n}`);
  for (const name of names) await createUser(service, name, accessToken);
  let added = 0;
  for (const name of names) {
    const { accessToken: own } = await login(service, name);
    const begun = await send(service, 'mutation { beginTotp { challengeToken secret } }', {}, own);
    const { challengeToken, secret } = begun.data.beginTotp;
    const code = await createApp(secret).next();
    const confirm = () => send(
      service,
      `mutation($challengeToken: String!, $code: String!) {
        confirmTotp(input: { challengeToken: $challengeToken, code: $code }) { recoveryCodes errors { code } }
      }`,
      { challengeToken, code },
      own,
    );
    const told = await untilKilled(service, Array(4).fill(confirm));
    service = await startAgain(service);
    const read = '{ viewer { secondFactors { totpSince recoveryCodesLeft } } }';
    const { data } = await send(service, read, {}, own);
    const { totpSince, recoveryCodesLeft } = data.viewer.secondFactors;
    assert.equal(recoveryCodesLeft, totpSince ? 10 : 0);
    const succeeded = told.filter(answer => answer.data?.confirmTotp?.recoveryCodes).length;
    assert.ok(succeeded <= 1);
    if (succeeded) assert.ok(totpSince, 'what was acknowledged stays');
    const { errors } = await firstStep(service, name);
    assert.deepEqual(errors.map(error => error.code), totpSince ? ['SECOND_STEP_REQUIRED'] : []);
    added += totpSince ? 1 : 0;
  }
  t.diagnostic(`${added} of ${KILLS} were added`);
});

test(`a recovery code that is used while the service is killed ${KILLS} times logs in once`, async t => {
  let service = await start();
  t.after(() => service.stop());
  const { accessToken } = await login(service);
  await createUser(service, 'ada', accessToken);
  const { recoveryCodes } = await addApp(service, (await login(service, 'ada')).accessToken);
  let used = 0;
  for (const recoveryCode of recoveryCodes.slice(0, KILLS)) {
    const challenges = [];
    for (let n = 0; n < 4; n++) challenges.push((await firstStep(service, 'ada')).challenge.challengeToken);
    const told = await untilKilled(service, challenges.map(token => () => continueLogin(service, token, recoveryCode)));
    service = await startAgain(service);
    const opened = told.filter(answer => answer.tokens).length;
    const { challenge } = await firstStep(service, 'ada');
    const again = await continueLogin(service, challenge.challengeToken, recoveryCode);
    // Acknowledged or not: after the restart it is good once, or not any more.
    assert.ok(opened + (again.tokens ? 1 : 0) <= 1);
    used += again.tokens ? 0 : 1;
  }
  t.diagnostic(`${used} of ${KILLS} were used before the kill`);
});
