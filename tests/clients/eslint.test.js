import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('the schema passes the lints of graphql-eslint, for schemas and for Relay', () => {
  const eslint = join(import.meta.dirname, 'node_modules/.bin/eslint');
  const root = join(import.meta.dirname, '../..');
  execFileSync(eslint, ['-c', 'tests/clients/eslint.config.js', 'schema.graphql'], { cwd: root, stdio: 'inherit' });
});
