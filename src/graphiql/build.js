// Build of dist/, or of the directory given as argument: `npm ci && npm run build`. The output, with the
// licences of the bundled packages, is compressed and committed, so that cargo builds do not need Node.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'vite';

const dist = process.argv[2] ?? join(import.meta.dirname, 'dist');
const packages = new Set();

// Notes the packages of the modules that end up in the page or in one of its workers.
const notePackages = {
  name: 'note-packages',
  generateBundle(_, bundle) {
    for (const id of Object.values(bundle).flatMap(chunk => chunk.moduleIds ?? [])) {
      const found = id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/);
      if (found) packages.add(found[0].replace(/^\0/, ''));
    }
  },
};

const { output } = await build({
  root: import.meta.dirname,
  logLevel: 'error',
  build: { write: false },
  plugins: [notePackages],
  worker: { format: 'es', plugins: () => [notePackages] },
});

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
for (const { fileName, code, source } of output) write(fileName, code ?? source);
write('licenses.txt', [...packages].sort().map(licence).join('\n\n'));

function write(name, content) {
  writeFileSync(join(dist, `${name}.gz`), gzipSync(content, { level: 9 }));
}

function licence(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json')));
  const texts = readdirSync(directory)
    .filter(file => /^(licen[cs]e|notice|thirdpartynotices|copying)/i.test(file))
    .map(file => readFileSync(join(directory, file), 'utf8').trim());
  if (!license && texts.length === 0) throw new Error(`${name} has no licence`);
  return [`== ${name} ${version}: ${license}`, ...texts].join('\n\n');
}
