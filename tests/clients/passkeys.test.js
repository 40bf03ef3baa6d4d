// Passkeys in Chromium, whose virtual authenticator makes and uses them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  ask, beginPasskeyLogin, beginReauthentication, beginRegistration, codeOf, continueLogin, enterPassword, loginWithPasskey,
  openWithAuthenticator, reauthenticate, registerPasskey,
} from './authenticators.js';
import { judgeLogin, judgeRegistration, logIn, openStage, respond } from './passkeys.js';
import { createUser, start, startAgain, startBeside, until } from './service.js';

let stage;
let service;
let replica;
before(async () => {
  stage = await openStage();
  ({ service, replica } = stage);
});
after(() => stage?.close());

const STRONG = { amr: ['swk', 'user', 'mfa'], assurance: 'PHISHING_RESISTANT' };

test('a passkey is registered, and logs in without a name and a password', async () => {
  const ada = await stage.enroll('ada');
  const { passkey, recoveryCodes } = ada.answer;
  assert.deepEqual([passkey.name, passkey.lastUsedAt, recoveryCodes.length], ['Phone', null, 10]);
  const { answer } = await logIn(stage, ada);
  assert.deepEqual(answer.session, STRONG);
  assert.equal((await ask(service, '{ viewer { username } }', {}, answer.tokens.accessToken)).username, 'ada');
  assert.ok((await stage.passkeys(ada))[0].lastUsedAt);
});

test('a passkey that the browser offers in the input of the username logs in', async () => {
  const bea = await stage.enroll('bea');
  assert.ok(await bea.page.evaluate(() => PublicKeyCredential.isConditionalMediationAvailable()));
  const begun = await beginPasskeyLogin(service);
  const { answer } = await judgeLogin(stage, bea, begun, await bea.get(begun.options, 'conditional'));
  assert.equal(answer.user.username, 'bea');
});

test('a passkey is the second step after a password, by the options of the challenge', async () => {
  const cleo = await stage.enroll('cleo');
  const first = await enterPassword(service, 'cleo');
  assert.deepEqual([first.tokens, codeOf(first), first.challenge.steps], [null, 'SECOND_STEP_REQUIRED', ['PASSKEY', 'RECOVERY_CODE']]);
  const wrong = await continueLogin(service, first, { recoveryCode: 'AAAA-AAAA' });
  assert.equal(codeOf(wrong), 'INVALID_PROOF');
  // The options are of one attempt.
  const stale = await continueLogin(service, first, { passkey: await cleo.get(first.challenge.passkeyOptions) });
  assert.deepEqual([codeOf(stale), stale.challenge.attemptsLeft], ['INVALID_PROOF', 3]);
  const { user, session } = await continueLogin(service, first, { passkey: await cleo.get(stale.challenge.passkeyOptions) });
  assert.deepEqual([user.username, session], ['cleo', { ...STRONG, amr: ['pwd', ...STRONG.amr] }]);
});

test('a passkey makes a session of a password one of two factors', async () => {
  const dora = await stage.join('dora');
  const { token: early } = dora;
  const begun = await beginRegistration(service, dora);
  await registerPasskey(service, begun, await dora.create(begun.options), early);
  const { challengeToken, passkeyOptions } = await beginReauthentication(service, early);
  const { session, tokens } = await reauthenticate(service, challengeToken, { passkey: await dora.get(passkeyOptions) }, early);
  assert.equal(session.assurance, 'PHISHING_RESISTANT');
  const renewed = await ask(service, 'mutation { renewRecoveryCodes { recoveryCodes errors { code } } }', {}, tokens.accessToken);
  assert.equal(renewed.recoveryCodes.length, 10);
});

test('where everybody needs a factor, a login adds a passkey', async () => {
  const strict = await startBeside(service, '--passkey-rp-id', 'localhost', '--passkey-origins', stage.home.origin, '--second-factor', 'required');
  try {
    await createUser(service, 'emma', stage.admin.accessToken);
    const emma = await openWithAuthenticator(stage.browser, stage.home.origin);
    const { challenge } = await enterPassword(strict, 'emma');
    assert.deepEqual(challenge.steps, ['ENROLL_FACTOR']);
    const begun = await beginRegistration(strict, challenge);
    const { login, recoveryCodes } = await registerPasskey(strict, begun, await emma.create(begun.options));
    // Nobody attests a new passkey, so it counts for more only once it is used.
    assert.deepEqual([login.user.username, login.session.assurance, recoveryCodes.length], ['emma', 'MULTI_FACTOR', 10]);
    await emma.close();
  } finally {
    await strict.stop();
  }
});

test('an authenticator makes one passkey of an account, and another authenticator another one', async () => {
  const fred = await stage.enroll('fred');
  const { tokens } = (await logIn(stage, fred)).answer;
  const token = tokens.accessToken;
  await assert.rejects(fred.create((await beginRegistration(service, { token })).options), /InvalidStateError/);
  const other = await openWithAuthenticator(stage.browser, stage.home.origin);
  const begun = await beginRegistration(service, { token });
  const { errors, recoveryCodes } = await registerPasskey(service, begun, await other.create(begun.options), token);
  assert.deepEqual([errors, recoveryCodes, (await stage.passkeys(fred)).length], [[], null, 2]);
  await other.close();
});

test('a browser forgets a passkey that was removed, by the names that the service has for it', async () => {
  const fay = await stage.enroll('fay');
  const token = (await logIn(stage, fay)).answer.tokens.accessToken;
  const signal = async () => {
    const { secondFactors: known } = await ask(service, `{
      viewer { secondFactors { passkeyRpId passkeyUserHandle passkeys { credentialId } } }
    }`, {}, token);
    const allAcceptedCredentialIds = known.passkeys.map(({ credentialId }) => credentialId);
    const names = { rpId: known.passkeyRpId, userId: known.passkeyUserHandle, allAcceptedCredentialIds };
    await fay.page.evaluate(it => PublicKeyCredential.signalAllAcceptedCredentials(it), names);
  };
  await signal();
  assert.equal((await fay.credentials()).length, 1);
  const removed = await ask(service, `mutation($passkeyId: ID!) {
    removePasskey(input: { passkeyId: $passkeyId }) { errors { code } }
  }`, { passkeyId: fay.answer.passkey.id }, token);
  assert.deepEqual(removed.errors, []);
  await signal();
  await until(async () => (await fay.credentials()).length === 0);
});

// In a page of the service: an operation with cookies.
async function operate({ query, variables, token }) {
  const headers = { 'content-type': 'application/json', 'x-sallyport-csrf': '1', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return answer.json();
}

test('pages of the service have passkeys once the issuer is their address, and cookies carry the login', async () => {
  const first = await start();
  const { port } = new URL(first.url);
  const refused = await beginPasskeyLogin(first);
  assert.equal(codeOf(refused), 'FORBIDDEN');
  await first.halt();
  const issuer = `http://localhost:${port}`;
  const own = await startAgain({ ...first, flags: ['--issuer', issuer] });
  try {
    const { page, create, get } = await openWithAuthenticator(stage.browser, `${issuer}/account/login`);
    const send = async (query, variables, token) => {
      const { data, errors } = await page.evaluate(operate, { query, variables, token });
      assert.equal(errors, undefined, JSON.stringify(errors));
      return Object.values(data)[0];
    };
    const token = (await enterPassword(own, 'admin')).tokens.accessToken;
    const begun = await send('mutation { beginPasskeyRegistration { challengeToken options } }', {}, token);
    const credential = await create(begun.options);
    const { errors } = await registerPasskey(own, begun, credential, token);
    assert.deepEqual(errors, []);
    const { challengeToken, options } = await send('mutation { beginPasskeyLogin(transport: COOKIE) { challengeToken options } }');
    assert.equal(challengeToken, null);
    const { tokens, user } = await send(`mutation($credential: WebAuthnJson!) {
      loginWithPasskey(input: { credential: $credential, transport: COOKIE }) { tokens { refreshToken } user { username } }
    }`, { credential: await get(options) });
    assert.deepEqual([user, tokens], [{ username: 'admin' }, { refreshToken: null }]);
    assert.ok((await send('mutation { refresh { tokens { accessToken } } }')).tokens.accessToken);
  } finally {
    await own.stop();
  }
});

test('a passkey of another domain is not offered, and not accepted if it is shown', async () => {
  // Two services on one database, as while an operator changes the domain.
  const elsewhere = `http://accounts.localhost:${stage.home.port}`;
  const former = await startBeside(service, '--passkey-rp-id', 'accounts.localhost', '--passkey-origins', elsewhere);
  const today = await startBeside(service, '--passkey-rp-id', 'localhost', '--passkey-origins', `${stage.home.origin},${elsewhere}`);
  try {
    const page = { home: { origin: elsewhere }, rpId: 'accounts.localhost' };
    const gil = await stage.join('gil', { url: elsewhere });
    const begun = await beginRegistration(former, gil);
    const { known } = await judgeRegistration({ ...page, service: former }, begun, await gil.create(begun.options), gil.token);
    assert.ok((await judgeLogin({ ...page, service: former }, { ...gil, known }, ...(await respond(former, gil)))).answer.tokens);

    // The page is one of the new service, too; only the domain of the passkey is not.
    const response = await respond(today, gil, { rpId: page.rpId });
    const { refusal } = await judgeLogin({ ...page, service: today, rpId: 'localhost' }, { ...gil, known }, ...response);
    assert.match(refusal, /RP ID/);
    const { options } = await beginPasskeyLogin(today);
    await assert.rejects(gil.get(options), /SecurityError/);
    await gil.page.goto(stage.home.origin);
    await assert.rejects(gil.get(options), /NotAllowedError/);
  } finally {
    await today.stop();
    await former.stop();
  }
});

const both = use => Promise.all([service, replica, service, replica].map(use));

test('one response on two replicas at once registers, logs in, continues and reauthenticates once', async () => {
  const hans = await stage.join('hans');
  const { token } = hans;
  const begun = await beginRegistration(service, hans);
  const made = await hans.create(begun.options);
  const registered = await both(at => registerPasskey(at, begun, made, token));
  assertOne(registered.map(({ passkey, errors }) => (passkey ? 'DONE' : errors[0].code)));
  assert.equal((await stage.passkeys(hans)).length, 1);

  for (let round = 0; round < 3; round += 1) {
    const [login, response] = await respond(service, hans);
    const answers = await both(at => loginWithPasskey(at, login, response));
    assertOne(answers.map(outcome));

    const first = await enterPassword(service, 'hans');
    const passkey = await hans.get(first.challenge.passkeyOptions);
    const continued = await both(at => continueLogin(at, first, { passkey }));
    assertOne(continued.map(outcome));

    const { challengeToken, passkeyOptions } = await beginReauthentication(service, token);
    const again = await hans.get(passkeyOptions);
    const renewed = await both(at => reauthenticate(at, challengeToken, { passkey: again }, token));
    assertOne(renewed.map(outcome));
  }
});

const outcome = ({ tokens, errors }) => (tokens ? 'DONE' : errors[0].code);

function assertOne(codes) {
  const refused = codes.filter(code => code !== 'DONE');
  assert.equal(refused.length, codes.length - 1, codes.join());
  for (const code of refused) assert.match(code, /^(INVALID_PROOF|CHALLENGE_EXPIRED)$/);
}
