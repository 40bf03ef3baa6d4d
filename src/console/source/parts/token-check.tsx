// Form that checks a token and explains why the service refuses it.
//
// Invariant: the token is sent in the body of one request to this service. It is in the input until
// then, and afterwards neither in the page, nor in the address, nor in storage.
import { useId, useState } from 'preact/hooks';

import { TokenStatusDocument } from '../api/generated';
import type { TokenStatusQuery } from '../api/generated';
import { ask } from '../api/session';
import { texts } from '../texts';
import { reason } from './failure';
import { Field } from './field';
import { Time } from './time';

export const entryAddress = (jti: string) => `/console/blacklist?jti=${encodeURIComponent(jti)}`;

type Status = TokenStatusQuery['tokenStatus'] & { jti?: string };

export function WhyRefused() {
  const [status, setStatus] = useState<Status>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const title = useId();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const token = form.querySelector('input')!.value.trim();
    if (isBusy || !token) return;
    form.reset();
    setBusy(true);
    setProblem('');
    setStatus(undefined);
    try {
      const { tokenStatus } = await ask(TokenStatusDocument, { token });
      setStatus({ ...tokenStatus, jti: jtiOf(token) });
    } catch (error) {
      setProblem(reason(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="band why" aria-labelledby={title}>
      <h2 id={title}>{texts.why.title}</h2>
      <form onSubmit={submit}>
        {/* No spell check: it may send the token to its vendor. */}
        <Field label={texts.why.token} hint={texts.why.hint} autocomplete="off" autocapitalize="none" spellcheck={false} />
        <button type="submit" aria-disabled={isBusy}>
          {isBusy ? texts.why.busy : texts.why.ask}
        </button>
      </form>
      <div role="status">{status && <Answer status={status} />}</div>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

function Answer({ status }: { status: Status }) {
  const { active, tokenType, reason, expiresAt, session, jti } = status;
  const words = [
    tokenType && `${texts.why.kind[tokenType]}.`,
    active ? tokenType && texts.why.good[tokenType] : reason && texts.why.refusal[reason],
    reason === 'EXPIRED' && tokenType && texts.why.remedy[tokenType],
    reason === 'SESSION_ENDED' && texts.why.remedy.REFRESH,
  ];
  return (
    <>
      <p>
        <strong>{words.filter(Boolean).join(' ')}</strong>
      </p>
      <p class="actions">
        {expiresAt && (
          <span>
            {active ? texts.why.expires : reason === 'EXPIRED' ? texts.why.expired : texts.why.wouldExpire} <Time at={expiresAt} seconds />.
          </span>
        )}
        {session && <a href={`/console/sessions/${session.id}`}>{texts.why.session}</a>}
        {/* Access tokens have no blacklist entries. */}
        {tokenType === 'REFRESH' && reason && jti && <a href={entryAddress(jti)}>{texts.why.entry}</a>}
      </p>
    </>
  );
}

/** The `jti` claim, not verified: it is only used to look up the blacklist entry. */
function jtiOf(token: string): string | undefined {
  try {
    const claims = JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims.jti === 'string' ? claims.jti : undefined;
  } catch {
    return undefined;
  }
}
