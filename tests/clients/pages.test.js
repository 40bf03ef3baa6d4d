// The files of GraphiQL and of the console, which are in the repository as they are served.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';

const kept = join(import.meta.dirname, '../../target/clients');
mkdirSync(kept, { recursive: true });

for (const page of ['graphiql', 'console']) {
  test(`the files of ${page} are what its sources build`, () => {
    const sources = join(import.meta.dirname, '../../src', page);
    const anew = join(kept, page);
    execFileSync('node', [join(sources, 'build.js'), anew], { stdio: 'inherit' });
    const committed = read(join(sources, 'dist'));
    const built = read(anew);
    assert.deepEqual([...built.keys()], [...committed.keys()]);
    for (const [name, content] of built) {
      assert.ok(plain(name, content).equals(plain(name, committed.get(name))), `${name} is out of date; in src/${page}: npm ci && npm run build`);
    }
  });
}

test('the console is small', () => {
  const files = [...read(join(import.meta.dirname, '../../src/console/dist'))];
  const size = files.filter(([name]) => name.endsWith('.gz') && !name.startsWith('licenses')).reduce((sum, [, { length }]) => sum + length, 0);
  console.log(`the whole console is ${(size / 1000).toFixed(1)} kB, compressed`);
  assert.ok(size < 100_000);
});

const read = directory => new Map(readdirSync(directory).map(name => [name, readFileSync(join(directory, name))]));
const plain = (name, content) => (name.endsWith('.gz') ? gunzipSync(content) : content);
