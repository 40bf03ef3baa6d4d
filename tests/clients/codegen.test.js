import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { generate } from '@graphql-codegen/cli';

import { start } from './service.js';

let service;
before(async () => (service = await start()));
after(() => service.stop());

// Once from the file, and once from a running service by introspection, which is how teams point at it.
for (const [name, schema] of [
  ['the file', () => '../../schema.graphql'],
  ['a running service', () => service.graphql],
]) {
  test(`types generated from ${name} compile strictly`, async () => {
    await generate({
      cwd: import.meta.dirname,
      silent: true,
      schema: schema(),
      documents: 'codegen/*.ts',
      generates: {
        'codegen/__generated__/': {
          preset: 'client',
          config: { scalars: { DateTime: 'string', ID: 'string', JsonObject: 'Record<string, unknown>', WebAuthnJson: 'Record<string, unknown>' }, strictScalars: true, useTypeImports: true },
        },
      },
    });
    execFileSync('node_modules/.bin/tsc', ['-p', 'codegen'], { cwd: import.meta.dirname, stdio: 'inherit' });
  });
}
