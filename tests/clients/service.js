// The service that the tests talk to: a process of the real binary, on a port and a database of its
// own. Which binary and which kind of database, SALLYPORT_BINARY and TEST_DATABASE say.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const PASSWORD = 'tangerine-orbit-quartz-41';

// Passwords are hashed cheaply, and nobody waits after a wrong one: neither is what is tested here.
const FLAGS = ['--hashing-memory', '8', '--hashing-passes', '1', '--throttle', 'false'];

export async function start(...flags) {
  return startOn(await makeDatabase(), flags);
}

// At http://localhost: browsers have no passkeys for IP addresses.
export async function startAtLocalhost(...flags) {
  const server = createServer();
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  const url = `http://localhost:${port}`;
  const service = await startOn(await makeDatabase(), ['--issuer', url, ...flags], `127.0.0.1:${port}`);
  return { ...service, url, graphql: `${url}/graphql` };
}

// One more process of a service that runs.
export function startBeside({ database }, ...flags) {
  return startOn({ url: database.url, drop: async () => {} }, flags);
}

// The same service again, at its address, after it was stopped by `halt`.
export function startAgain({ database, url, flags }) {
  return startOn(database, flags, new URL(url).host);
}

async function startOn(database, flags, address = '127.0.0.1:0') {
  const child = spawn(process.env.SALLYPORT_BINARY, ['--listen', address, ...FLAGS, ...flags], {
    cwd: tmpdir(),
    env: environment(database),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', data => (log += data));
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', data => {
      const found = /http:\/\/\S+(?=\/graphql)/.exec(data);
      if (found) resolve(found[0]);
    });
    child.on('exit', code => reject(new Error(`the service ended with ${code}: ${log}`)));
  });
  const end = async signal => {
    child.removeAllListeners('exit');
    const ended = new Promise(resolve => child.on('exit', resolve));
    child.kill(signal);
    await ended;
  };
  const halt = () => end('SIGTERM');
  const kill = () => end('SIGKILL');
  const stop = async () => {
    await halt();
    await database.drop();
  };
  return { url, database, flags, graphql: `${url}/graphql`, log: () => log, halt, kill, stop };
}

export const environment = database => ({
  SALLYPORT_ADMIN_PASSWORD: PASSWORD,
  SALLYPORT_DATABASE_URL: database.url,
  SALLYPORT_SECRET: '0123456789abcdefghijklmnopqrstuv',
});

async function makeDatabase() {
  if (process.env.TEST_DATABASE !== 'postgres') {
    const directory = await mkdtemp(join(tmpdir(), 'sallyport-'));
    return { url: `sqlite://${directory}/test.db`, drop: () => rm(directory, { recursive: true }) };
  }
  const name = `clients_${randomBytes(8).toString('hex')}`;
  const server = process.env.TEST_POSTGRES_URL;
  const psql = sql => promisify(execFile)('psql', ['-q', server, '-c', sql]);
  await psql(`CREATE DATABASE ${name}`);
  return { url: server.replace(/\/[^/]*$/, `/${name}`), drop: () => psql(`DROP DATABASE ${name} WITH (FORCE)`) };
}

// One operation, sent by hand: for what a test needs beside the client it is about.
export async function send(service, query, variables, token, headers) {
  const response = await fetch(service.graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

export async function login(service, username = 'admin') {
  const { data } = await send(
    service,
    `mutation($username: String!, $password: String!) {
      login(input: { username: $username, password: $password }) {
        tokens { accessToken refreshToken } session { id sid } user { id } errors { code }
      }
    }`,
    { username, password: PASSWORD },
  );
  return { ...data.login.tokens, session: data.login.session, user: data.login.user };
}

export async function createUser(service, username, token) {
  const { data } = await send(
    service,
    `mutation($username: String!, $password: String!) {
      createUser(input: { username: $username, password: $password }) { user { id } errors { message } }
    }`,
    { username, password: PASSWORD },
    token,
  );
  return data.createUser.user.id;
}

// A user whose address an administrator has verified, with the address USERNAME@example.org.
export async function createVerifiedUser(service, username, token) {
  const userId = await createUser(service, username, token);
  const { data } = await send(
    service,
    `mutation($userId: ID!, $email: String!) {
      updateUser(input: { userId: $userId, email: $email, emailVerified: true }) { user { emailVerifiedAt } errors { message } }
    }`,
    { userId, email: `${username}@example.org` },
    token,
  );
  if (!data.updateUser.user?.emailVerifiedAt) throw new Error(JSON.stringify(data));
  return userId;
}

const received = new Set();

// The mails that are not sent. Without an SMTP server these are all.
export async function emails({ database }) {
  const list = ['email', 'list', '--json'];
  const { stdout } = await promisify(execFile)(process.env.SALLYPORT_BINARY, list, { cwd: tmpdir(), env: environment(database) });
  return stdout.split('\n').filter(Boolean).map(line => JSON.parse(line));
}

// The next e-mail of this purpose to this address, of a service without an SMTP server.
export async function receive(service, to, purpose) {
  let found;
  await until(async () => {
    const mails = await emails(service);
    found = mails.find(mail => mail.to === to && mail.purpose === purpose && mail.text && !received.has(mail.id));
    return found;
  });
  received.add(found.id);
  return { ...found, code: /^\d{8}$/m.exec(found.text)?.[0], token: /#token=([\w.~-]+)/.exec(found.text)?.[1] };
}

export async function refresh(service, refreshToken) {
  const { data } = await send(
    service,
    `mutation($refreshToken: String!) {
      refresh(input: { refreshToken: $refreshToken }) { tokens { accessToken refreshToken } errors { code } }
    }`,
    { refreshToken },
  );
  return { ...data.refresh.tokens, errors: data.refresh.errors };
}

export async function logout(service, token, scope = 'CURRENT') {
  const { data } = await send(
    service,
    'mutation($scope: LogoutScope!) { logout(input: { scope: $scope }) { endedCount } }',
    { scope },
    token,
  );
  return data.logout.endedCount;
}

// Answers when the condition holds, however slow the machine is.
export async function until(condition) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error(`not so after a minute: ${condition}`);
}
