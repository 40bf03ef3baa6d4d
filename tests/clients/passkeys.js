// People with passkeys, and what the service says of the responses of their browsers. @simplewebauthn/server,
// which is asked about each of them with the same options, has to say the same.
import assert from 'node:assert/strict';

import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';

import {
  ask, beginPasskeyLogin, beginRegistration, codeOf, loginWithPasskey, openWithAuthenticator, registerPasskey, servePages,
} from './authenticators.js';
import { launch } from './browser.js';
import { createUser, login, start, startBeside } from './service.js';

const RP_ID = 'localhost';

// Two replicas whose passkeys are used on the pages of `home`, and a browser.
export async function openStage() {
  const [browser, home] = await Promise.all([launch(), servePages()]);
  const flags = ['--passkey-rp-id', RP_ID, '--passkey-origins', home.origin];
  const service = await start(...flags);
  const replica = await startBeside(service, ...flags);
  const admin = await login(service);
  const devices = [];
  const stage = {
    browser, home, service, replica, admin, rpId: RP_ID,

    // A new account, and the browser of its user.
    async join(username, { url = home.origin, isSynced } = {}) {
      const id = await createUser(service, username, admin.accessToken);
      const device = await openWithAuthenticator(browser, url, isSynced);
      devices.push(device);
      return { username, id, token: (await login(service, username)).accessToken, ...device };
    },

    // The same with a passkey. `known` is what the oracle knows of it.
    async enroll(username, options) {
      const person = await stage.join(username, options);
      const begun = await beginRegistration(service, person);
      const { known, answer } = await judgeRegistration(stage, begun, await person.create(begun.options), person.token);
      return { ...person, known, answer };
    },

    // What the audit says of the last login that failed for this account.
    async reason({ id }) {
      const { nodes } = await ask(service, `query($userId: ID!) {
        auditEvents(first: 1, filter: { userId: $userId, kinds: [LOGIN_FAILED] }) { nodes { detail } }
      }`, { userId: id }, admin.accessToken);
      return nodes[0]?.detail;
    },

    passkeys: async ({ username }) =>
      (await ask(service, `query($username: String!) {
        user(username: $username) { secondFactors { passkeys { credentialId isSynced lastUsedAt } } }
      }`, { username }, admin.accessToken)).secondFactors.passkeys,

    async close() {
      await Promise.all(devices.map(({ close }) => close()));
      await browser.close();
      await replica.stop();
      await service.stop();
      home.close();
    },
  };
  return stage;
}

const expected = ({ home, rpId }, { options }) => ({
  expectedChallenge: options.challenge, expectedOrigin: home.origin, expectedRPID: rpId,
});

// What the oracle knows of a response, or why it refuses it. A signature that is wrong is no error for it.
const tell = verification =>
  verification.then(
    ({ verified, registrationInfo, authenticationInfo }) =>
      verified ? { info: registrationInfo ?? authenticationInfo } : { refusal: 'not verified' },
    error => ({ refusal: error.message }),
  );

export const oracle = {
  registration: (stage, _, begun, response) =>
    tell(verifyRegistrationResponse({ response, ...expected(stage, begun) })),
  login: (stage, { known }, begun, response) =>
    tell(verifyAuthenticationResponse({ response, ...expected(stage, begun), credential: known })),
};

const agree = (isAccepted, { answer, info, refusal }) =>
  assert.equal(isAccepted, info !== undefined, `${codeOf(answer) ?? 'accepted'}, and the oracle: ${refusal}`);

export async function judgeRegistration(stage, begun, response, token) {
  const { info, refusal } = await oracle.registration(stage, undefined, begun, response);
  const answer = await registerPasskey(stage.service, begun, response, token);
  const { passkey } = answer;
  agree(passkey !== null, { answer, info, refusal });
  if (!info) return { answer, refusal };
  const { credential, credentialDeviceType } = info;
  assert.deepEqual(
    [passkey.credentialId, passkey.aaguid, passkey.isSynced, passkey.transports],
    [credential.id, info.aaguid, info.credentialBackedUp, credential.transports],
  );
  return { answer, known: { ...credential, deviceType: credentialDeviceType } };
}

// The answers of both, which may differ.
export async function askBoth(stage, person, begun, response) {
  const told = await oracle.login(stage, person, begun, response);
  return { answer: await loginWithPasskey(stage.service, begun, response), ...told };
}

export async function judgeLogin(stage, person, begun, response) {
  const judged = await askBoth(stage, person, begun, response);
  const { answer, info } = judged;
  agree(answer.tokens !== null, judged);
  if (info) {
    assert.equal(answer.user.username, person.username);
    person.known.counter = info.newCounter;
  } else {
    assert.equal(codeOf(answer), 'INVALID_PROOF');
  }
  return judged;
}

// A login that was begun, and the response to its options, as the service gives them or changed on the way.
export async function respond(service, { get }, change) {
  const begun = await beginPasskeyLogin(service);
  return [begun, await get({ ...begun.options, ...change })];
}

export const logIn = async (stage, person, change) =>
  judgeLogin(stage, person, ...(await respond(stage.service, person, change)));
