import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { login, start } from './service.js';

const EXPECTED = { issuer: 'http://127.0.0.1:8000', audience: 'sallyport', typ: 'at+jwt' };

for (const algorithm of ['ES256', 'EdDSA', 'RS256']) {
  test(`jose takes an access token signed with ${algorithm}, and nothing else for one`, async t => {
    const service = await start('--algorithm', algorithm, '--access-token-lifetime', '2s', '--leeway', '0s');
    t.after(() => service.stop());
    const keys = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
    const { accessToken, refreshToken, user, session } = await login(service);
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, EXPECTED);
    assert.equal(protectedHeader.alg, algorithm);
    assert.equal(`User:${payload.sub}`, user.id);
    assert.equal(payload.sid, session.sid);
    assert.equal(payload.token_type, 'access');
    const refused = (token, expected, code) => assert.rejects(jwtVerify(token, keys, expected), { code });
    await refused(accessToken, { ...EXPECTED, audience: 'others' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    await refused(accessToken, { ...EXPECTED, issuer: 'https://others' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    await refused(accessToken, { ...EXPECTED, typ: 'rt+jwt' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED');
    await assert.rejects(jwtVerify(refreshToken, keys, EXPECTED));
    const later = { ...EXPECTED, currentDate: new Date(Date.now() + 3000) };
    await refused(accessToken, later, 'ERR_JWT_EXPIRED');
  });
}
