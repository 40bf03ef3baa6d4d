// Build of dist/, or of the directory given as argument: `npm ci && npm run build`. The output, with the
// licences of the bundled packages, is compressed and committed, so that cargo builds do not need Node.
//
// There are two pages: the console, and that of the links in e-mails, which is served without the console,
// too. The names of its files begin with `account`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import ts from 'typescript';
import { build } from 'vite';

import { generateTypes } from './codegen.js';

const here = import.meta.dirname;
const dist = process.argv[2] ?? join(here, 'dist');

await generateTypes();
execFileSync(join(here, 'node_modules/.bin/tsc'), ['-p', here], { stdio: 'inherit' });

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await bundle('index.html', '/console/assets/', 'licenses.txt', {});
await bundle('account.html', '/account/assets/', 'account-licenses.txt', {
  entryFileNames: 'account-[hash].js',
  chunkFileNames: 'account-[name]-[hash].js',
  assetFileNames: 'account-[name]-[hash][extname]',
});
// The service reads them, and nobody else: what runs where only trusted documents may.
await writeDocuments('documents.json', 'source/api/generated.ts');
await writeDocuments('account-documents.json', 'source/account/generated.ts');

async function bundle(page, base, licences, names) {
  const packages = new Set();
  // Notes the packages of the modules that end up in the page.
  const notePackages = {
    name: 'note-packages',
    generateBundle(_, chunks) {
      for (const id of Object.values(chunks).flatMap(chunk => chunk.moduleIds ?? [])) {
        const found = id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/);
        if (found) packages.add(found[0].replace(/^\0/, ''));
      }
    },
  };
  const { output } = await build({
    root: here,
    base,
    logLevel: 'error',
    build: { write: false, rolldownOptions: { input: join(here, page), output: names } },
    plugins: [notePackages],
  });
  for (const { fileName, code, source } of output) write(fileName, code ?? source);
  write(licences, [...packages].sort().map(licence).join('\n\n'));
}

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

async function writeDocuments(name, generated) {
  const code = ts.transpile(readFileSync(join(here, generated), 'utf8'), { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 });
  const exported = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  const documents = Object.entries(exported)
    .filter(([exportName]) => exportName.endsWith('Document'))
    .map(([, document]) => document.toString());
  writeFileSync(join(dist, name), `${JSON.stringify(documents, null, 1)}\n`);
}
