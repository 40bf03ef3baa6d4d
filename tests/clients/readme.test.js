import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('the set-ups in the README are the tested files', () => {
  const read = path => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  const shown = [...read('README.md').matchAll(/^`(tests\/clients\/\w+\.js)`\n\n```js\n(.*?)```$/gms)];
  assert.equal(shown.length, 4);
  for (const [, path, code] of shown) assert.equal(code, read(path), path);
});
