// Debian's Postfix as a relay: takes mails from this machine and hands them to another server.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { until } from './service.js';

const run = promisify(execFile);

// Postfix starts as root and gives its rights away itself.
const asRoot = (...command) => (userInfo().uid === 0 ? command : ['sudo', '-n', ...command]);

async function freePort() {
  const server = createServer();
  const port = await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
  await new Promise(resolve => server.close(resolve));
  return port;
}

// All services run without chroot; the first one listens.
const SERVICES = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export async function startPostfix(relayPort) {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-postfix-'));
  const port = await freePort();
  await chmod(directory, 0o755);
  await mkdir(join(directory, 'spool'));
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  await writeFile(join(directory, 'main.cf'), `compatibility_level = 3.6
queue_directory = ${directory}/spool
data_directory = ${directory}/data
maillog_file = ${directory}/log
maillog_file_prefixes = ${directory}
myhostname = relay.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:${relayPort}
smtp_tls_security_level = may
smtputf8_enable = yes
alias_maps =
alias_database =
`);
  await run(...split(asRoot('chown', '-R', 'postfix', join(directory, 'data'))));
  await run(...split(asRoot('chown', 'root', directory, join(directory, 'main.cf'), join(directory, 'master.cf'), join(directory, 'spool'))));
  const [command, args] = split(asRoot('/usr/sbin/postfix', '-c', directory, 'start-fg'));
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = new Promise(resolve => child.on('exit', resolve));
  await until(() => answers(port));
  const stop = async () => {
    await run(...split(asRoot('/usr/sbin/postfix', '-c', directory, 'stop'))).catch(() => {});
    await ended;
    await run(...split(asRoot('rm', '-rf', directory)));
  };
  return { port, stop };
}

const answers = port => new Promise(resolve => {
  const socket = connect(port, '127.0.0.1');
  socket.on('data', () => resolve(socket.destroy()));
  socket.on('error', () => resolve(undefined));
});

const split = ([command, ...args]) => [command, args];
