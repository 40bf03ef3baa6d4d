// A service that has grown: many sessions, written straight into its database, since logging in so
// often would take longer than all the tests.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';

const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
  'curl/8.14.1',
];
const ADDRESSES = ['203.0.113.7', '192.0.2.23', '198.51.100.99'];
const COLUMNS = `id, user_id, user_agent, ip, last_ip, created_at, last_used_at, token_id, token_issued_at, token_expires_at,
  generation, access_expires_at, ended_at, end_reason`;
const MINUTE = 60_000_000;

// As SQL writes 16 bytes.
const DIALECTS = {
  sqlite: { id: hex => `x'${hex}'`, bytes: hex => `x'${hex}'` },
  postgres: { id: hex => `'${hex}'`, bytes: hex => `'\\x${hex}'` },
};

/** Sessions of the users with these ids, by turns; the newest an hour old, each twelve seconds before the last. */
export async function seed({ url }, userIds, count) {
  const isSqlite = url.startsWith('sqlite://');
  const { id, bytes } = DIALECTS[isSqlite ? 'sqlite' : 'postgres'];
  const users = userIds.map(user => id(user.replace('User:', '').replaceAll('-', '')));
  const newest = Date.now() * 1000 - 60 * MINUTE;
  const row = (_, number) => {
    const at = newest - number * 12_000_000;
    const address = ADDRESSES[number % ADDRESSES.length].split('.').map(part => Number(part).toString(16).padStart(2, '0'));
    const ip = bytes(`${'0'.repeat(20)}ffff${address.join('')}`);
    const ended = number % 7 === 3 ? [at + 40 * MINUTE, "'LOGOUT'"] : ['NULL', 'NULL'];
    const values = [
      id(timedId(at)), users[number % users.length], `'${AGENTS[number % AGENTS.length]}'`, ip, ip, at, at + 30 * MINUTE,
      id(timedId(at)), at + 30 * MINUTE, at + 7 * 1440 * MINUTE, number % 40, at + 45 * MINUTE, ...ended,
    ];
    return `(${values.join()})`;
  };
  const rows = Array.from({ length: count }, row);
  const statements = [];
  for (let from = 0; from < count; from += 500) {
    statements.push(`INSERT INTO sessions (${COLUMNS}) VALUES ${rows.slice(from, from + 500).join()};`);
  }
  const sql = ['BEGIN;', ...statements, 'COMMIT;', 'ANALYZE;'].join('\n');
  if (isSqlite) await feed('python3', ['-c', SQLITE, url.slice('sqlite://'.length)], sql);
  else await feed('psql', ['-q', '-v', 'ON_ERROR_STOP=1', url], sql);
}

const SQLITE = 'import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).executescript(sys.stdin.read())';

// A UUIDv7 of that moment.
function timedId(at) {
  const random = randomBytes(10).toString('hex');
  return `${Math.floor(at / 1000).toString(16).padStart(12, '0')}7${random.slice(0, 3)}8${random.slice(3, 18)}`;
}

function feed(program, parameters, input) {
  const child = spawn(program, parameters, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', code => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))));
  });
}
