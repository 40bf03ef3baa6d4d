// What people prove themselves with beside a password: an authenticator app, and a browser with passkeys.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';

import { parse } from '@otplib/uri';
import { generateSync } from 'otplib';

import { PASSWORD, send } from './service.js';

// The payload of one field, where nothing but expected failures is expected.
export async function ask(service, text, variables, token) {
  const { data, errors } = await send(service, text, variables, token);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return Object.values(data)[0];
}

const LOGGED_IN = `tokens { accessToken } user { username } session { amr assurance } errors { code message }
  challenge { challengeToken steps attemptsLeft passkeyOptions }`;

export const enterPassword = (service, username) =>
  ask(service, `mutation($username: String!, $password: String!) {
    login(input: { username: $username, password: $password }) { ${LOGGED_IN} }
  }`, { username, password: PASSWORD });

export const continueLogin = (service, { challenge }, proof) =>
  ask(service, `mutation($challengeToken: String!, $proof: ProofInput!) {
    continueLogin(input: { challengeToken: $challengeToken, proof: $proof }) { ${LOGGED_IN} }
  }`, { challengeToken: challenge.challengeToken, proof });

export const codeOf = ({ errors }) => errors[0]?.code;

// An authenticator app that was begun, in a session or in a login that asks for a factor.
export const beginApp = (service, { token, challengeToken } = {}) =>
  ask(service, `mutation($challengeToken: String) {
    beginTotp(challengeToken: $challengeToken) { challengeToken secret uri qrCode errors { code } }
  }`, { challengeToken }, token);

export const confirmApp = (service, { challengeToken }, code, token) =>
  ask(service, `mutation($challengeToken: String!, $code: String!) {
    confirmTotp(input: { challengeToken: $challengeToken, code: $code }) {
      recoveryCodes errors { code } login { ${LOGGED_IN} }
    }
  }`, { challengeToken, code }, token);

// When to compute a code for. The service takes that of the step before and after, too, so both are good
// for half a minute: `confirming` once, and then `using` once, since a code is of a later step than the last.
export const confirming = () => Math.floor(Date.now() / 1000);
export const using = () => confirming() + 30;

// What otplib makes of a URI.
export const showCode = (uri, epoch) => generateSync({ ...parse(uri).params, epoch });

// Adds an app to the account of this session.
export async function addApp(service, token) {
  const begun = await beginApp(service, { token });
  const { recoveryCodes, errors } = await confirmApp(service, begun, showCode(begun.uri, confirming()), token);
  assert.deepEqual(errors, []);
  return { ...begun, recoveryCodes };
}

const FORM = '<!doctype html><title>App</title><form><input autocomplete="username webauthn"></form>';

// Pages of an application, at an origin of their own.
export async function servePages() {
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(FORM));
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return { port, origin: `http://localhost:${port}`, close: () => server.close() };
}

// A page, with an authenticator in its browser that has a screen lock, and usually synchronizes its passkeys.
export async function openWithAuthenticator(browser, url, isSynced = true) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true, defaultBackupEligibility: isSynced, defaultBackupState: isSynced,
  };
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
  const command = (name, parameters) => devtools.send(`WebAuthn.${name}`, { authenticatorId, ...parameters });
  await page.goto(url);
  return {
    page,
    command,
    create: options => page.evaluate(createInPage, options),
    get: (options, mediation) => page.evaluate(getInPage, { options, mediation }),
    getIn: (frame, options) => frame.evaluate(getInPage, { options }),
    credentials: async () => (await command('getCredentials')).credentials,
    close: () => context.close(),
    // Replaces a passkey by a copy that differs in something.
    async alter(credential, changes) {
      await command('removeCredential', { credentialId: credential.credentialId });
      await command('addCredential', { credential: { ...credential, ...changes } });
    },
  };
}

// As every page does it.
async function createInPage(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({ publicKey })).toJSON();
}

async function getInPage({ options, mediation = 'optional' }) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey, mediation })).toJSON();
}

export const beginRegistration = (service, { token, challengeToken } = {}) =>
  ask(service, `mutation($challengeToken: String) {
    beginPasskeyRegistration(challengeToken: $challengeToken) { challengeToken options errors { code } }
  }`, { challengeToken }, token);

export const registerPasskey = (service, { challengeToken }, credential, token) =>
  ask(service, `mutation($challengeToken: String!, $credential: WebAuthnJson!) {
    registerPasskey(input: { challengeToken: $challengeToken, credential: $credential, name: "Phone" }) {
      passkey { id name credentialId aaguid transports isSynced lastUsedAt } recoveryCodes errors { code message }
      login { ${LOGGED_IN} }
    }
  }`, { challengeToken, credential }, token);

export const beginPasskeyLogin = service =>
  ask(service, 'mutation { beginPasskeyLogin { challengeToken options errors { code } } }');

export const loginWithPasskey = (service, { challengeToken }, credential) =>
  ask(service, `mutation($challengeToken: String!, $credential: WebAuthnJson!) {
    loginWithPasskey(input: { challengeToken: $challengeToken, credential: $credential }) { ${LOGGED_IN} }
  }`, { challengeToken, credential });

export const beginReauthentication = async (service, token) =>
  (await ask(service, `mutation {
    beginReauthentication { challenge { challengeToken steps passkeyOptions } errors { code } }
  }`, {}, token)).challenge;

export const reauthenticate = (service, challengeToken, proof, token) =>
  ask(service, `mutation($challengeToken: String, $proof: ProofInput!) {
    reauthenticate(input: { challengeToken: $challengeToken, proof: $proof }) {
      tokens { accessToken } session { amr assurance } errors { code }
    }
  }`, { challengeToken, proof }, token);
