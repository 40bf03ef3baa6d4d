// Dialog that asks the user for a proof while an operation waits for it: the password, or a code that is sent
// by e-mail. Without a proof the operation is not sent again.
import { useEffect, useState } from 'preact/hooks';

import { BeginReauthenticationDocument } from '../api/generated';
import type { ChallengeFragment } from '../api/generated';
import { wanted } from '../api/reauthentication';
import type { WantedProof } from '../api/reauthentication';
import { ask, current, reauthenticate } from '../api/session';
import { texts } from '../texts';
import { ActionForm } from './action-form';
import { CodeField, codeIn } from './code-field';
import { Dialog } from './dialog';
import { told, undone } from './failure';
import { Field } from './field';

export function Reauthentication() {
  const { value } = wanted;
  return value ? <ProofDialog wanted={value} /> : null;
}

const { reauthentication: words } = texts;

function ProofDialog({ wanted: { given, cancelled } }: { wanted: WantedProof }) {
  const [challenge, setChallenge] = useState<ChallengeFragment>();
  const [isMailed, setMailed] = useState(false);
  const [problem, setProblem] = useState('');
  const begin = async (sendCode: boolean) => {
    setProblem('');
    try {
      const { beginReauthentication } = await ask(BeginReauthenticationDocument, { sendCode });
      const [first] = beginReauthentication?.errors ?? [];
      if (first) return setProblem(told(first));
      setChallenge(beginReauthentication?.challenge ?? undefined);
      setMailed(sendCode);
    } catch (error) {
      setProblem(undone(error as Error));
    }
  };
  useEffect(() => {
    void begin(false);
    // The session may end while the dialog is open.
    return cancelled;
  }, []);
  // Until the steps are known, the usual one is shown.
  const can = (step: ChallengeFragment['steps'][number]) => challenge?.steps.includes(step) ?? step === 'PASSWORD';
  const act = async (typed: FormData) => {
    const code = codeIn(typed);
    const password = String(typed.get('password') ?? '');
    if (isMailed ? !code : !password) return isMailed ? words.missingCode : words.missingPassword;
    const proof = isMailed ? { emailCode: code } : { password };
    const [first] = await reauthenticate({ challengeToken: isMailed ? challenge?.challengeToken : undefined, proof });
    if (first) return told(first);
    given();
  };
  const cancel = (
    <button type="button" onClick={cancelled}>
      {texts.cancel}
    </button>
  );
  return (
    <Dialog title={words.title} onClose={cancelled}>
      <p>{words.why}</p>
      {isMailed || can('PASSWORD') ? (
        <ActionForm submit={words.submit} busy={words.busy} act={act} failed={undone} beside={cancel} key={isMailed ? 'code' : 'password'}>
          {/* Password managers need the username. */}
          <input type="text" hidden autocomplete="username" value={current()?.user.username} readOnly />
          {isMailed ? (
            <>
              <p role="status">{words.sent}</p>
              <CodeField label={words.code} hint={words.codeHint} />
            </>
          ) : (
            <Field label={words.password} name="password" type="password" autocomplete="current-password" autofocus />
          )}
        </ActionForm>
      ) : (
        <p class="actions">{cancel}</p>
      )}
      {!isMailed && can('EMAIL_CODE') && (
        <button type="button" class="plain" onClick={() => void begin(true)}>
          {words.sendCode}
        </button>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}
