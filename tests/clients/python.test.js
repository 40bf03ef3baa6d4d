import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { login, start, startBeside, until } from './service.js';

// Authlib's validator of RFC 9068 takes no EdDSA.
for (const algorithm of ['ES256', 'RS256']) {
  test(`PyJWT, Authlib and SimpleJWT take access tokens signed with ${algorithm}`, async () => {
    const service = await start('--algorithm', algorithm, '--leeway', '0s');
    const brief = await startBeside(service, '--algorithm', algorithm, '--access-token-lifetime', '1s');
    try {
      const { accessToken, refreshToken } = await login(service);
      const { accessToken: expired } = await login(brief);
      const over = JSON.parse(Buffer.from(expired.split('.')[1], 'base64url')).exp * 1000;
      await until(() => Date.now() > over);
      await promisify(execFile)(process.env.PYTHON, ['tokens.py'], {
        cwd: import.meta.dirname,
        env: {
          SALLYPORT_URL: service.url,
          ACCESS: accessToken,
          REFRESH: refreshToken,
          EXPIRED: expired,
          ALGORITHM: algorithm,
        },
      });
    } finally {
      await brief.stop();
      await service.stop();
    }
  });
}
