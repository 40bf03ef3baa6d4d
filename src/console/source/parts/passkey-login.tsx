// Login by a passkey: offered by the browser in the input of the username, and by a button.
import { useEffect, useRef, useState } from 'preact/hooks';

import { beginPasskeyLogin } from '../api/passkeys';
import type { BegunPasskey } from '../api/passkeys';
import { texts } from '../texts';
import { askPasskey, hasPasskeyAutofill, hasPasskeys } from './passkey';
import type { WebAuthnJson } from './passkey';

/** The options are valid for ten minutes. */
const RENEWAL = 8 * 60_000;

interface Props {
  /** Sends the response of the passkey. Returns the message of what is wrong, if anything is. */
  act: (challengeToken: string | null, credential: WebAuthnJson) => Promise<string | undefined>;
  failed: (error: Error) => string;
}

export function PasskeyLogin({ act, failed }: Props) {
  const [begun, setBegun] = useState<BegunPasskey>();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  // Options are good for one attempt: each round has its own.
  const [round, setRound] = useState(0);
  const autofill = useRef<AbortController | undefined>(undefined);

  const run = async ({ challengeToken }: BegunPasskey, credential: Promise<WebAuthnJson>) => {
    setProblem('');
    try {
      setProblem((await act(challengeToken, await credential)) ?? '');
    } catch (error) {
      setProblem(failed(error as Error));
    }
    setRound(before => before + 1);
  };

  useEffect(() => {
    if (!hasPasskeys) return;
    const stop = (autofill.current = new AbortController());
    const renewal = setTimeout(() => setRound(before => before + 1), RENEWAL);
    const offer = async () => {
      const next = await beginPasskeyLogin();
      if (stop.signal.aborted) return;
      setBegun(next);
      if (!next || !(await hasPasskeyAutofill()) || stop.signal.aborted) return;
      const credential = await askPasskey(next.options, { mediation: 'conditional', signal: stop.signal });
      clearTimeout(renewal);
      await run(next, Promise.resolve(credential));
    };
    // Nothing was asked for, so there is nothing to say: other ways are on the page.
    offer().catch(() => {});
    return () => {
      clearTimeout(renewal);
      stop.abort();
    };
  }, [round]);

  if (!begun) return null;
  const choose = async () => {
    if (isBusy) return;
    // The browser asks for one passkey at a time.
    autofill.current?.abort();
    setBusy(true);
    await run(begun, askPasskey(begun.options));
    setBusy(false);
  };
  return (
    <>
      <p class="problem" role="alert">
        {problem}
      </p>
      <button type="button" aria-disabled={isBusy} onClick={choose}>
        {isBusy ? texts.logIn.waiting : texts.logIn.byPasskey}
      </button>
    </>
  );
}
