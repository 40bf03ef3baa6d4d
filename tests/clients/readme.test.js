// The code that the documentation shows is that of the tested files, or runs here as it is shown.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { buildSchema, parse, validate } from 'graphql';

import { environment, login, start } from './service.js';

const root = join(import.meta.dirname, '../..');
const read = path => readFileSync(join(root, path), 'utf8');
const blocks = (path, language) =>
  [...read(path).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);

let service;
let tokens;
before(async () => {
  service = await start();
  tokens = await login(service);
});
after(() => service.stop());

// The address that the documentation shows is the claim `iss`, too.
const atTheService = code =>
  code
    .replace('http://127.0.0.1:8000/', `${service.url}/`)
    .replace("'/.well-known/jwks.json', issuer", `'${service.url}/.well-known/jwks.json'`);

test('the set-ups in the README of the clients are the tested files', () => {
  const shown = [...read('tests/clients/README.md').matchAll(/^`(tests\/clients\/\w+\.js)`\n\n```js\n(.*?)```$/gms)];
  assert.equal(shown.length, 6);
  for (const [, path, code] of shown) assert.equal(code, read(path), path);
});

// The module is imported from here, where its packages are installed.
async function run(code, names) {
  const source = `${code}\nexport { ${names} };`;
  const imports = source.replace(/from '([^']+)'/g, (_, name) => `from '${import.meta.resolve(name)}'`);
  return import(`data:text/javascript,${encodeURIComponent(imports)}`);
}

test('the tour of the README works as it is pasted', async () => {
  const own = await start();
  const tour = blocks('README.md', 'sh').find(code => code.startsWith('gql()'));
  const script = tour.replace('localhost:8000', new URL(own.url).host).replaceAll('target/release/sallyport', process.env.SALLYPORT_BINARY);
  const env = { ...process.env, ...environment(own.database) };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: tmpdir(), env });
  const answers = stdout.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line));
  assert.equal(answers.at(-2).errors[0].extensions.reason, 'SESSION_ENDED');
  assert.deepEqual(answers.at(-1).data.resetPassword, { user: { username: 'admin' }, errors: [] });
  await own.stop();
});

test('the examples of the README send a query and verify a token', async () => {
  const [query, verify] = blocks('README.md', 'js').map(atTheService);
  const token = `const accessToken = '${tokens.accessToken}';\n`;
  const { data, errors } = await run(token + query, 'data, errors');
  assert.deepEqual([data.viewer.username, errors], ['admin', undefined]);
  const { payload } = await run(token + verify, 'payload');
  assert.equal(payload.sid, tokens.session.sid);
});

test('the examples of the help verify an access token and refuse a refresh token', async () => {
  const [javascript] = blocks('src/help/tokens.md', 'js').map(atTheService);
  const { verify } = await run(javascript, '');
  assert.equal((await verify(tokens.accessToken)).sid, tokens.session.sid);
  await assert.rejects(verify(tokens.refreshToken));
  const [python] = blocks('src/help/tokens.md', 'python').map(atTheService);
  const program = `${python}
import sys
assert verify(sys.argv[1])["token_type"] == "access"
try:
    verify(sys.argv[2])
    sys.exit("a refresh token is accepted")
except jwt.PyJWTError:
    pass
`;
  await promisify(execFile)(process.env.PYTHON, ['-c', program, tokens.accessToken, tokens.refreshToken]);
});

test('the operations of the help are valid', () => {
  const schema = buildSchema(read('schema.graphql'));
  const topics = readdirSync(join(root, 'src/help'));
  const shown = topics.flatMap(topic => blocks(`src/help/${topic}`, 'graphql').map(text => [topic, text]));
  const operations = shown.filter(([, text]) => !text.startsWith('type '));
  assert.ok(operations.length >= 6, `${operations.length} operations`);
  for (const [topic, text] of operations) assert.deepEqual(validate(schema, parse(text)), [], `${topic}: ${text}`);
});
