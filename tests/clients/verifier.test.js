// A service that has the public keys alone and follows the ends of sessions refuses the token of an
// ended session within a second.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { login, logout, start, until } from './service.js';
import { createVerifier } from './verifier.js';

let service;
let admin;
before(async () => {
  service = await start();
  admin = await login(service);
});
after(() => service.stop());

async function createNode() {
  const verifier = createVerifier({
    url: service.url,
    issuer: 'http://127.0.0.1:8000',
    audience: 'sallyport',
    accessToken: () => admin.accessToken,
  });
  const verdict = token => verifier.verify(token).then(() => 'accepted', error => (/not known/.test(error) ? 'unknown' : 'refused'));
  return { verdict, stop: verifier.close };
}

async function createRust() {
  const child = spawn(process.env.VERIFIER_BINARY, {
    env: { SALLYPORT_URL: service.url, ACCESS_TOKEN: admin.accessToken },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const verdict = async token => {
    child.stdin.write(`${token}\n`);
    return (await lines.next()).value;
  };
  return { verdict, stop: () => child.kill() };
}

for (const [name, create] of [['Node', createNode], ['Rust', createRust]]) {
  test(`a verifier in ${name} refuses the token of an ended session within a second`, async t => {
    const before = await login(service);
    await logout(service, before.accessToken);
    const verifier = await create();
    t.after(verifier.stop);
    const became = (token, verdict) => until(async () => (await verifier.verdict(token)) === verdict);
    await became(admin.accessToken, 'accepted');
    assert.equal(await verifier.verdict(before.accessToken), 'refused', 'what ended before it began');
    assert.equal(await verifier.verdict(admin.refreshToken), 'refused', 'a refresh token');
    const took = [];
    for (let i = 0; i < 5; i += 1) {
      const live = await login(service);
      await became(live.accessToken, 'accepted');
      await logout(service, live.accessToken);
      const ended = performance.now();
      await became(live.accessToken, 'refused');
      took.push(performance.now() - ended);
    }
    // A machine that is busy with something else makes one late, and not all of them.
    assert.ok(Math.min(...took) < 1000, took.join());
    t.diagnostic(`refused after ${took.map(Math.round).join(', ')} ms`);
    await became(admin.accessToken, 'accepted');
  });
}
