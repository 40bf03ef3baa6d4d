// Authenticator apps: what otplib and pyotp read from the service is what it accepts from them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { parse } from '@otplib/uri';
import { generateSync } from 'otplib';
import { decodeQR } from 'qr/decode.js';

import { addApp, beginApp, codeOf, confirmApp, confirming, continueLogin, enterPassword, showCode, using } from './authenticators.js';
import { launch } from './browser.js';
import { createUser, login, start, startBeside } from './service.js';

let service;
let replica;
let admin;
before(async () => {
  service = await start('--issuer', 'https://accounts.example.org');
  replica = await startBeside(service, '--issuer', 'https://accounts.example.org');
  admin = await login(service);
});
after(async () => {
  await replica?.stop();
  await service?.stop();
});

// A new account, and its session.
async function join(username) {
  await createUser(service, username, admin.accessToken);
  return (await login(service, username)).accessToken;
}

const PYOTP = `import json, pyotp, sys
uri, secret, moment = sys.argv[1], sys.argv[2], int(sys.argv[3])
app = pyotp.parse_uri(uri)
print(json.dumps({
    "issuer": app.issuer, "account": app.name, "secret": app.secret,
    "code": app.at(moment), "typed": pyotp.TOTP(secret).at(moment),
}))`;

// What an app knows after a scan, and the codes that it shows at a time: after a scan, and after the secret
// was typed into it.
const apps = {
  otplib({ uri, secret }, epoch) {
    const { label, params } = parse(uri);
    const [issuer, account] = label.split(':');
    assert.equal(issuer, params.issuer);
    return { ...params, account, code: showCode(uri, epoch), typed: generateSync({ secret, epoch }) };
  },
  async pyotp({ uri, secret }, epoch) {
    const { stdout } = await promisify(execFile)(process.env.PYTHON, ['-c', PYOTP, uri, secret, epoch]);
    return JSON.parse(stdout);
  },
};

for (const [name, read] of Object.entries(apps)) {
  test(`${name} reads the secret and the URI, and its codes confirm the app and log in`, async () => {
    const username = `user-of-${name}`;
    const token = await join(username);
    const begun = await beginApp(service, { token });
    const { code, typed, ...known } = await read(begun, confirming());
    assert.deepEqual(known, { issuer: 'accounts.example.org', account: username, secret: begun.secret });
    assert.equal(typed, code);
    const { recoveryCodes, errors } = await confirmApp(service, begun, code, token);
    assert.deepEqual([errors, recoveryCodes.length], [[], 10]);

    const first = await enterPassword(service, username);
    assert.deepEqual([first.tokens, codeOf(first), first.challenge.steps], [null, 'SECOND_STEP_REQUIRED', ['TOTP', 'RECOVERY_CODE']]);
    const next = (await read(begun, using())).code;
    const { user, session } = await continueLogin(service, first, { totpCode: next });
    assert.deepEqual([user, session], [{ username }, { amr: ['pwd', 'otp', 'mfa'], assurance: 'MULTI_FACTOR' }]);
    // Neither code is good for another login.
    for (const totpCode of [code, next]) {
      assert.equal(codeOf(await continueLogin(service, await enterPassword(service, username), { totpCode })), 'INVALID_PROOF');
    }
  });
}

test('an app that has another secret neither confirms nor logs in', async () => {
  const token = await join('amy');
  const [mine, others] = await Promise.all([beginApp(service, { token }), beginApp(service, { token })]);
  assert.equal(codeOf(await confirmApp(service, mine, showCode(others.uri, confirming()), token)), 'INVALID_PROOF');
  await addApp(service, token);
  const answer = await continueLogin(service, await enterPassword(service, 'amy'), { totpCode: showCode(others.uri, using()) });
  assert.deepEqual([codeOf(answer), answer.challenge.attemptsLeft], ['INVALID_PROOF', 4]);
});

test('a camera reads the URI from the QR code, whatever is around it', async () => {
  const browser = await launch();
  try {
    const { qrCode, uri } = await beginApp(service, { token: await join('bob') });
    const page = await browser.newPage();
    const { size, pixels } = await page.evaluate(paint, qrCode);
    const data = new Uint8Array(Buffer.from(pixels, 'base64'));
    assert.equal(decodeQR({ width: size, height: size, data }, { format: 'RGBA', timeLimit: 60_000 }), uri);
  } finally {
    await browser.close();
  }
});

// In a page: the pixels of the picture in the middle of something grey.
async function paint(svg) {
  const size = 480;
  const canvas = new OffscreenCanvas(size, size).getContext('2d');
  canvas.fillStyle = '#888';
  canvas.fillRect(0, 0, size, size);
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  canvas.drawImage(image, 40, 40, size - 80, size - 80);
  const bytes = canvas.getImageData(0, 0, size, size).data;
  let pixels = '';
  for (const byte of bytes) pixels += String.fromCharCode(byte);
  return { size, pixels: btoa(pixels) };
}

// Of logins that wait for their second step on two replicas, one gets in by this proof.
async function assertUsedOnce(username, proof) {
  const replicas = [service, replica, service, replica];
  const waiting = await Promise.all(replicas.map(at => enterPassword(at, username)));
  const answers = await Promise.all(waiting.map((first, at) => continueLogin(replicas[at], first, proof)));
  const codes = answers.map(answer => (answer.tokens ? 'LOGGED IN' : codeOf(answer)));
  assert.deepEqual(codes.sort(), ['INVALID_PROOF', 'INVALID_PROOF', 'INVALID_PROOF', 'LOGGED IN']);
}

test('one code of an app on two replicas at once logs in once', async () => {
  for (const username of ['carl', 'cleo', 'curt']) {
    const { uri } = await addApp(service, await join(username));
    await assertUsedOnce(username, { totpCode: showCode(uri, using()) });
  }
});

test('one recovery code on two replicas at once logs in once', async () => {
  const { recoveryCodes } = await addApp(service, await join('dora'));
  for (const recoveryCode of recoveryCodes.slice(0, 3)) await assertUsedOnce('dora', { recoveryCode });
});

test('where everybody needs a factor, a login adds an app by its code', async () => {
  await createUser(service, 'emma', admin.accessToken);
  const strict = await startBeside(service, '--second-factor', 'required');
  try {
    const first = await enterPassword(strict, 'emma');
    assert.deepEqual([first.tokens, first.challenge.steps], [null, ['ENROLL_FACTOR']]);
    const begun = await beginApp(strict, first.challenge);
    const { login: done } = await confirmApp(strict, begun, showCode(begun.uri, confirming()));
    assert.deepEqual([done.user.username, done.session.assurance], ['emma', 'MULTI_FACTOR']);
  } finally {
    await strict.stop();
  }
});
