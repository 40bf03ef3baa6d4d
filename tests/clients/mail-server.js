// A real SMTP server for the tests, with a certificate of its own, and what it received.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { simpleParser } from 'mailparser';
import { generate } from 'selfsigned';
import { SMTPServer } from 'smtp-server';

export const USER = 'sallyport';
export const SMTP_PASSWORD = 'mail-hunter-2';

// `name` is that of the certificate. `answer(mail, tries)` may throw `refusal(…)`, or return a promise that never ends.
export async function startMailServer({ name = 'localhost', secure = false, answer = () => {}, ...options } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-mail-'));
  const authority = await generate([{ name: 'commonName', value: 'Authority of the tests' }], {
    keyType: 'ec', algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true }],
  });
  const certificate = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec', algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
    ca: { key: authority.private, cert: authority.cert },
  });
  const [ca, passwordFile] = ['ca.pem', 'password'].map(file => join(directory, file));
  await Promise.all([writeFile(ca, authority.cert), writeFile(passwordFile, SMTP_PASSWORD, { mode: 0o600 })]);
  const mails = [];
  const tries = new Map();
  const server = new SMTPServer({
    secure,
    key: certificate.private,
    cert: certificate.cert,
    onAuth: ({ username, password }, session, done) => {
      const isRight = session.secure && username === USER && password === SMTP_PASSWORD;
      done(isRight ? null : refusal(535, 'wrong user or password'), { user: username });
    },
    onData: async (stream, session, done) => {
      try {
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        const raw = Buffer.concat(chunks).toString('latin1');
        const mail = { ...(await simpleParser(Buffer.concat(chunks))), raw, user: session.user, secure: session.secure };
        mail.code = /^\d{8}$/m.exec(mail.text)?.[0];
        mail.link = /^\S+#token=\S+$/m.exec(mail.text)?.[0];
        tries.set(mail.messageId, (tries.get(mail.messageId) ?? 0) + 1);
        await answer(mail, tries.get(mail.messageId));
        mails.push(mail);
        done();
      } catch (error) {
        done(error);
      }
    },
    ...options,
  });
  // A client that goes away is no error of the server.
  server.on('error', () => {});
  await new Promise(resolve => server.listen(0, resolve));
  const { port } = server.server.address();
  const flags = scheme => [
    '--smtp-url', `${scheme}://${USER}@localhost:${port}`, '--smtp-password-file', passwordFile, '--smtp-ca-file', ca,
  ];
  const stop = async () => {
    await new Promise(resolve => server.close(resolve));
    await rm(directory, { recursive: true });
  };
  return { port, ca, mails, tries, flags, stop };
}

export const refusal = (responseCode, text) => Object.assign(new Error(text), { responseCode });
