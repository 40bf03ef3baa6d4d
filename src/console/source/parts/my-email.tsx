// E-mail address of the user's own account: its verification and its change, each by a code or a link that
// is sent to the address.
import { useState } from 'preact/hooks';

import { ConfirmEmailChangeDocument, RequestEmailChangeDocument, RequestEmailVerificationDocument, VerifyEmailDocument } from '../api/generated';
import type { MyAccountQuery } from '../api/generated';
import { ask } from '../api/session';
import type { Problem } from '../api/transport';
import { texts } from '../texts';
import { ActionForm } from './action-form';
import { CodeField, codeIn } from './code-field';
import { Confirm } from './dialog';
import { told, undone } from './failure';
import { Field } from './field';
import { say } from './notice';
import { reload } from './query';

const { myEmail: words } = texts;

export function MyEmail({ viewer }: { viewer: NonNullable<MyAccountQuery['viewer']> }) {
  const { email, emailVerifiedAt, pendingEmail } = viewer;
  const [isChanging, setChanging] = useState(false);
  // Tokens of the requested codes. Without them, the session finds the code's challenge.
  const [verification, setVerification] = useState<string | null>(null);
  const [change, setChange] = useState<string | null>(null);
  const isUnverified = email !== null && !emailVerifiedAt;
  return (
    <section aria-labelledby="email" class="band">
      <header class="section-head">
        <h2 id="email">{words.title}</h2>
        <div class="actions">
          {isUnverified && <SendVerification email={email} onSent={setVerification} />}
          <button type="button" onClick={() => setChanging(true)}>
            {email === null ? words.add : words.change}
          </button>
        </div>
      </header>
      <p class="sent">
        {email ?? words.none}
        {email !== null && ' '}
        {email !== null && <span class={isUnverified ? 'badge next' : 'badge'}>{isUnverified ? words.unverified : words.verified}</span>}
      </p>
      {isUnverified && (
        <Code
          how={words.verifyHow}
          submit={words.verify}
          send={async code => (await ask(VerifyEmailDocument, { challengeToken: verification, code })).verifyEmail.errors}
          done={words.verifyDone}
        />
      )}
      {pendingEmail !== null && (
        <Code
          how={words.pending(pendingEmail)}
          submit={words.confirm}
          send={async code => (await ask(ConfirmEmailChangeDocument, { challengeToken: change, code })).confirmEmailChange.errors}
          done={words.changeDone}
        />
      )}
      {isChanging && <ChangeEmail onSent={setChange} onClose={() => setChanging(false)} />}
    </section>
  );
}

interface Sent {
  onSent: (challengeToken: string | null) => void;
}

function SendVerification({ email, onSent }: Sent & { email: string }) {
  const [isBusy, setBusy] = useState(false);
  const request = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      const { requestEmailVerification } = await ask(RequestEmailVerificationDocument, {});
      const [first] = requestEmailVerification?.errors ?? [];
      onSent(requestEmailVerification?.challenge?.challengeToken ?? null);
      say(first ? told(first) : words.sent(email));
    } catch (error) {
      say(undone(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" aria-disabled={isBusy} onClick={request}>
      {words.send}
    </button>
  );
}

interface CodeProps {
  how: string;
  submit: string;
  send: (code: string) => Promise<Problem[]>;
  done: string;
}

function Code({ how, submit, send, done }: CodeProps) {
  const act = async (typed: FormData) => {
    const code = codeIn(typed);
    if (!code) return words.missingCode;
    const [first] = await send(code);
    if (first) return told(first);
    say(done);
    reload();
  };
  return (
    <div class="step">
      <p>{how}</p>
      <ActionForm submit={submit} busy={words.busy} act={act} failed={undone}>
        <CodeField label={words.code} hint={words.codeHint} />
      </ActionForm>
    </div>
  );
}

function ChangeEmail({ onSent, onClose }: Sent & { onClose: () => void }) {
  const [email, setEmail] = useState('');
  const address = email.trim();
  const request = async () => {
    const { requestEmailChange } = await ask(RequestEmailChangeDocument, { email: address });
    onSent(requestEmailChange?.challenge?.challengeToken ?? null);
    return requestEmailChange;
  };
  return (
    <Confirm title={words.changeTitle} confirm={words.request} busy={words.busy} disabled={!address} act={request} said={() => words.sent(address)} onClose={onClose}>
      <p>{words.changeHow}</p>
      <Field label={words.newAddress} type="email" autocomplete="email" required value={email} onInput={event => setEmail(event.currentTarget.value)} />
    </Confirm>
  );
}
