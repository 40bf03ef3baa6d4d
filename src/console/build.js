// Build of dist/, or of the directory given as argument: `npm ci && npm run build`. The output, with the
// licences of the bundled packages, is compressed and committed, so that cargo builds do not need Node.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import ts from 'typescript';
import { build } from 'vite';

import { generateTypes } from './codegen.js';

const here = import.meta.dirname;
const dist = process.argv[2] ?? join(here, 'dist');
const packages = new Set();

// Notes the packages of the modules that end up in the page.
const notePackages = {
  name: 'note-packages',
  generateBundle(_, bundle) {
    for (const id of Object.values(bundle).flatMap(chunk => chunk.moduleIds ?? [])) {
      const found = id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/);
      if (found) packages.add(found[0].replace(/^\0/, ''));
    }
  },
};

await generateTypes();
execFileSync(join(here, 'node_modules/.bin/tsc'), ['-p', here], { stdio: 'inherit' });
const { output } = await build({ root: here, logLevel: 'error', build: { write: false }, plugins: [notePackages] });

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const { fileName, code, source } of output) write(fileName, code ?? source);
write('licenses.txt', [...packages].sort().map(licence).join('\n\n'));
// The service reads it, and nobody else: what runs where only trusted documents may.
writeFileSync(join(dist, 'documents.json'), `${JSON.stringify(await documents(), null, 1)}\n`);

function write(name, content) {
  writeFileSync(join(dist, `${name}.gz`), gzipSync(content, { level: 9 }));
}

function licence(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json')));
  const texts = readdirSync(directory)
    .filter(file => /^(licen[cs]e|notice|copying)/i.test(file))
    .map(file => readFileSync(join(directory, file), 'utf8').trim());
  if (!license && texts.length === 0) throw new Error(`${name} has no licence`);
  return [`== ${name} ${version}: ${license}`, ...texts].join('\n\n');
}

async function documents() {
  const code = ts.transpile(readFileSync(join(here, 'source/api/generated.ts'), 'utf8'), { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 });
  const generated = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return Object.entries(generated)
    .filter(([name]) => name.endsWith('Document'))
    .map(([, document]) => document.toString());
}
