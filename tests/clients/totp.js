// An authenticator app (RFC 6238), and accounts that have one.
import { createHmac } from 'node:crypto';

import { send } from './service.js';

const PERIOD = 30_000;

// Each code is accepted once, and those of the step before and after the present one are, too.
export function createApp(secret) {
  let last = -Infinity;
  return {
    async next() {
      const step = Math.max(last + 1, Math.floor(Date.now() / PERIOD));
      // A second later, since the clock of the service may be behind by as much as the request takes.
      const from = (step - 1) * PERIOD + 1_000;
      if (from > Date.now()) await new Promise(resolve => setTimeout(resolve, from - Date.now()));
      last = step;
      return codeAt(secret, step);
    },
    wrong: async () => ((Number(codeAt(secret, Math.floor(Date.now() / PERIOD) + 5)) + 1) % 1_000_000).toString().padStart(6, '0'),
  };
}

function codeAt(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', base32(secret)).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return (number % 1_000_000).toString().padStart(6, '0');
}

function base32(text) {
  const bits = [...text].map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
}

// Adds an app to the account that has just logged in with this access token.
export async function addApp(service, token) {
  const begun = await send(service, 'mutation { beginTotp { challengeToken secret errors { message } } }', {}, token);
  const { challengeToken, secret } = begun.data.beginTotp;
  const app = createApp(secret);
  const { data } = await send(
    service,
    `mutation($challengeToken: String!, $code: String!) {
      confirmTotp(input: { challengeToken: $challengeToken, code: $code }) { recoveryCodes errors { message } }
    }`,
    { challengeToken, code: await app.next() },
    token,
  );
  return { ...app, recoveryCodes: data.confirmTotp.recoveryCodes };
}
