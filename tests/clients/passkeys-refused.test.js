// Responses of passkeys that are not as they have to be. The oracle of passkeys.js refuses them as well,
// except where it remembers nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  ask, beginPasskeyLogin, beginReauthentication, beginRegistration, codeOf, continueLogin, enterPassword, loginWithPasskey,
  reauthenticate, registerPasskey, servePages,
} from './authenticators.js';
import { askBoth, judgeLogin, judgeRegistration, logIn, openStage, oracle, respond } from './passkeys.js';

let stage;
let service;
before(async () => {
  stage = await openStage();
  ({ service } = stage);
});
after(() => stage?.close());

const NO_BITS = { isBogusSignature: false, isBadUV: false, isBadUP: false };
const isLoggedIn = async person => assert.ok((await logIn(stage, person)).answer.tokens);

test('a user whom the device did not verify is refused by the browser, and by the service if it is not asked', async () => {
  const ada = await stage.enroll('ada');
  await ada.command('setUserVerified', { isUserVerified: false });
  const { options } = await beginPasskeyLogin(service);
  await assert.rejects(ada.get(options), /NotAllowedError/);
  // A page that asks for less than the service.
  const { refusal } = await logIn(stage, ada, { userVerification: 'discouraged' });
  assert.match(refusal, /User verification required/);
  assert.equal(await stage.reason(ada), 'passkey: the user was not verified');
  await ada.command('setUserVerified', { isUserVerified: true });
  await isLoggedIn(ada);
});

test('a wrong signature, a user who is not verified and one who is not present are refused', async () => {
  const bea = await stage.enroll('bea');
  for (const [bit, oracle, audit] of [
    ['isBogusSignature', /./, 'passkey'],
    ['isBadUV', /User verification required/, 'passkey: the user was not verified'],
    ['isBadUP', /User not present/, 'passkey'],
  ]) {
    await bea.command('setResponseOverrideBits', { ...NO_BITS, [bit]: true });
    const { refusal } = await logIn(stage, bea);
    assert.match(refusal, oracle, bit);
    assert.equal(await stage.reason(bea), audit, bit);
    await bea.command('setResponseOverrideBits', NO_BITS);
    await isLoggedIn(bea);
  }
});

test('a counter that went back is refused, and the passkey stays', async () => {
  const cleo = await stage.enroll('cleo');
  await isLoggedIn(cleo);
  const [now] = await cleo.credentials();
  await cleo.alter(now, { signCount: 0 });
  const { refusal } = await logIn(stage, cleo);
  assert.match(refusal, /counter/);
  assert.equal(await stage.reason(cleo), 'passkey: its counter went back, there may be a copy');
  // The count that the service has is refused, too.
  await cleo.alter(now, { signCount: now.signCount - 1 });
  assert.match((await logIn(stage, cleo)).refusal, /counter/);
  await cleo.alter(now, {});
  await isLoggedIn(cleo);
  assert.equal((await stage.passkeys(cleo)).length, 1);
});

test('a passkey whose eligibility for backups changes is refused', async () => {
  for (const isSynced of [true, false]) {
    const dora = await stage.enroll(`dora-${isSynced}`, { isSynced });
    const [{ credentialId }] = await dora.credentials();
    const backUp = backupEligibility => dora.command('setCredentialProperties', { credentialId, backupEligibility, backupState: false });
    await backUp(!isSynced);
    // No contradiction in itself: the oracle tells another type of device than before.
    const { answer, info } = await askBoth(stage, dora, ...(await respond(service, dora)));
    assert.equal(codeOf(answer), 'INVALID_PROOF');
    assert.notEqual(info.credentialDeviceType, dora.known.deviceType);
    assert.equal(await stage.reason(dora), 'passkey: its backup eligibility changed');
    await backUp(isSynced);
    await isLoggedIn(dora);
  }
});

test('a passkey may be backed up and no longer be backed up, but not without being eligible', async () => {
  const emma = await stage.enroll('emma');
  const [{ credentialId }] = await emma.credentials();
  const backUp = (backupEligibility, backupState) => emma.command('setCredentialProperties', { credentialId, backupEligibility, backupState });
  for (const isBackedUp of [false, true]) {
    await backUp(true, isBackedUp);
    await isLoggedIn(emma);
    assert.equal((await stage.passkeys(emma))[0].isSynced, isBackedUp);
  }
  await backUp(false, true);
  assert.match((await logIn(stage, emma)).refusal, /backed up/);
});

test('a page of the same host at another port, which the service does not list, is refused', async () => {
  const fred = await stage.enroll('fred');
  const foreign = await servePages();
  try {
    await fred.page.goto(foreign.origin);
    // The browser sees the same domain.
    const { refusal } = await logIn(stage, fred);
    assert.match(refusal, /Unexpected authentication response origin/);
    assert.equal(await stage.reason(fred), 'passkey: on a page of another origin');
    const first = await enterPassword(service, 'fred');
    const second = await continueLogin(service, first, { passkey: await fred.get(first.challenge.passkeyOptions) });
    assert.equal(codeOf(second), 'INVALID_PROOF');
  } finally {
    foreign.close();
  }
});

test('a page in a frame of a page elsewhere is refused', async () => {
  const finn = await stage.enroll('finn');
  const foreign = await servePages();
  try {
    await finn.page.goto(foreign.origin);
    await finn.page.evaluate(embed, stage.home.origin);
    const [, frame] = finn.page.frames();
    await frame.waitForLoadState();
    const get = options => finn.getIn(frame, options);
    const { refusal } = await judgeLogin(stage, finn, ...(await respond(service, { get })));
    assert.match(refusal, /cross-origin/);
    assert.equal(await stage.reason(finn), 'passkey: on a page of another origin');
  } finally {
    foreign.close();
  }
});

// In a page: a frame that may use passkeys.
function embed(url) {
  const frame = document.createElement('iframe');
  Object.assign(frame, { allow: 'publickey-credentials-get *', src: url });
  return new Promise(resolve => {
    frame.onload = () => resolve();
    document.body.append(frame);
  });
}

test('a response that was used is refused, with its own challenge and with another one', async () => {
  const gil = await stage.enroll('gil');
  const [begun, response] = await respond(service, gil);
  await judgeLogin(stage, gil, begun, response);
  assert.equal(codeOf(await loginWithPasskey(service, begun, response)), 'CHALLENGE_EXPIRED');
  const { refusal } = await judgeLogin(stage, gil, await beginPasskeyLogin(service), response);
  assert.match(refusal, /challenge/);
  const first = await enterPassword(service, 'gil');
  assert.equal(codeOf(await continueLogin(service, first, { passkey: response })), 'INVALID_PROOF');
});

test('a response that was refused uses its challenge up', async () => {
  const hans = await stage.enroll('hans');
  const [begun, response] = await respond(service, hans);
  const other = await stage.enroll('hugo');
  await judgeLogin(stage, hans, begun, (await respond(service, other))[1]);
  assert.equal(codeOf(await loginWithPasskey(service, begun, response)), 'CHALLENGE_EXPIRED');
});

test('a passkey of another account is no second step, and one of a deactivated account no login', async () => {
  const [ida, ivo] = [await stage.enroll('ida'), await stage.enroll('ivo')];
  const first = await enterPassword(service, 'ida');
  const { challenge } = first.challenge.passkeyOptions;
  const passkey = (await respond(service, ivo, { challenge }))[1];
  assert.equal(codeOf(await continueLogin(service, first, { passkey })), 'INVALID_PROOF');

  const setActive = active =>
    ask(service, `mutation($userId: ID!, $active: Boolean!) {
      setUserActive(input: { userId: $userId, active: $active }) { errors { code } }
    }`, { userId: ida.id, active }, stage.admin.accessToken);
  await setActive(false);
  const { answer } = await askBoth(stage, ida, ...(await respond(service, ida)));
  assert.equal(codeOf(answer), 'INVALID_PROOF');
  await setActive(true);
  await isLoggedIn(ida);
});

test('what is signed for a login, a registration, a second step or a session is of no use for the others', async () => {
  const jan = await stage.enroll('jan');
  const token = (await logIn(stage, jan)).answer.tokens.accessToken;
  // Another user of the authenticator, so that it keeps the passkey that it has.
  const create = options => jan.create({ ...options, excludeCredentials: [], user: { ...options.user, id: 'AAAA' } });
  const ofChallenge = ({ challengeToken, passkeyOptions }) => ({ challengeToken, options: passkeyOptions });
  const ceremonies = {
    login: { begin: () => beginPasskeyLogin(service), end: (begun, response) => loginWithPasskey(service, begun, response) },
    step: {
      begin: async () => ofChallenge((await enterPassword(service, 'jan')).challenge),
      end: (begun, passkey) => continueLogin(service, { challenge: begun }, { passkey }),
    },
    session: {
      begin: async () => ofChallenge(await beginReauthentication(service, token)),
      end: ({ challengeToken }, passkey) => reauthenticate(service, challengeToken, { passkey }, token),
    },
    // The last, since it adds a factor in the end.
    registration: {
      begin: () => beginRegistration(service, { token }),
      end: (begun, response) => registerPasskey(service, begun, response, token),
    },
  };
  const { login, registration } = ceremonies;
  const creation = (await registration.begin()).options;
  const request = { ...(await login.begin()).options, allowCredentials: [{ type: 'public-key', id: jan.known.id }] };
  const sign = (ceremony, { challenge }) =>
    ceremony === registration ? create({ ...creation, challenge }) : jan.get({ ...request, challenge });
  const judge = ceremony => (ceremony === registration ? oracle.registration : oracle.login);

  for (const [name, ceremony] of Object.entries(ceremonies)) {
    for (const [otherName, other] of Object.entries(ceremonies).filter(([it]) => it !== name)) {
      const told = `${otherName} as ${name}`;
      // The right form, for the challenge of the other one.
      const begun = await ceremony.begin();
      const elsewhere = await other.begin();
      const crossed = await sign(ceremony, elsewhere.options);
      assert.match((await judge(ceremony)(stage, jan, begun, crossed)).refusal, /challenge/, told);
      assert.equal(codeOf(await ceremony.end(begun, crossed)), 'INVALID_PROOF', told);
      // The token of the other one, too.
      assert.equal(codeOf(await ceremony.end(elsewhere, crossed)), 'CHALLENGE_EXPIRED', told);
      // The form of the other one, for the right challenge.
      if ((ceremony === registration) === (other === registration)) continue;
      const again = await ceremony.begin();
      const deformed = await sign(other, again.options);
      assert.ok((await judge(ceremony)(stage, jan, again, deformed)).refusal, told);
      assert.equal(codeOf(await ceremony.end(again, deformed)), 'INVALID_PROOF', told);
    }
    // Its own.
    const begun = await ceremony.begin();
    const done = await ceremony.end(begun, await sign(ceremony, begun.options));
    assert.deepEqual(done.errors, [], name);
  }
});

test('a registration without verification, at another origin or for another challenge is refused', async () => {
  const kay = await stage.join('kay');
  const { token } = kay;
  const register = async change => {
    // The authenticator keeps what is refused, and has room for three.
    await kay.command('clearCredentials');
    const begun = await beginRegistration(service, { token });
    const { answer, refusal } = await judgeRegistration(stage, begun, await kay.create({ ...begun.options, ...change }), token);
    assert.equal(codeOf(answer), 'INVALID_PROOF');
    return refusal;
  };
  assert.match(await register({ challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }), /challenge/);
  for (const [bit, refusal] of [['isBadUV', /User verification/], ['isBadUP', /User presence/]]) {
    await kay.command('setResponseOverrideBits', { ...NO_BITS, [bit]: true });
    assert.match(await register(), refusal);
    await kay.command('setResponseOverrideBits', NO_BITS);
  }
  const foreign = await servePages();
  try {
    await kay.page.goto(foreign.origin);
    assert.match(await register(), /origin/);
  } finally {
    foreign.close();
  }
  assert.deepEqual(await stage.passkeys(kay), []);
});
