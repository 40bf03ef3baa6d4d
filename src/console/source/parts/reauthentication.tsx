// Dialog that asks the user for a proof while an operation waits for it: a passkey, a code of the authenticator app,
// the password, or a code that is sent by e-mail. Without a proof the operation is not sent again.
import { useEffect, useState } from 'preact/hooks';

import { BeginReauthenticationDocument } from '../api/generated';
import type { ChallengeFragment } from '../api/generated';
import { wanted } from '../api/reauthentication';
import type { WantedProof } from '../api/reauthentication';
import { ask, current, reauthenticate } from '../api/session';
import { texts } from '../texts';
import { ActionForm } from './action-form';
import { OtherSteps } from './challenge-form';
import { Dialog } from './dialog';
import { told, undone } from './failure';
import { ProofField, proofIn, proofSteps } from './proof-field';
import type { ProofStep, ProofTexts } from './proof-field';

export function Reauthentication() {
  const { value } = wanted;
  return value ? <ProofDialog wanted={value} /> : null;
}

const { reauthentication: words } = texts;
const proofs: Record<ProofStep, ProofTexts> = words.proofs;

const isOfChallenge = (step: ProofStep) => step === 'EMAIL_CODE' || step === 'PASSKEY';

function ProofDialog({ wanted: { assurance, given, cancelled } }: { wanted: WantedProof }) {
  const [challenge, setChallenge] = useState<ChallengeFragment>();
  const [chosen, setChosen] = useState<ProofStep>();
  const [problem, setProblem] = useState('');
  /** Requests the steps. Returns whether that succeeded. */
  const begin = async (sendCode: boolean) => {
    setProblem('');
    try {
      const { beginReauthentication } = await ask(BeginReauthenticationDocument, { sendCode });
      const [first] = beginReauthentication?.errors ?? [];
      if (first) setProblem(told(first));
      else setChallenge(beginReauthentication?.challenge ?? undefined);
      return !first;
    } catch (error) {
      setProblem(undone(error as Error));
      return false;
    }
  };
  useEffect(() => {
    void begin(false);
    // The session may end while the dialog is open.
    return cancelled;
  }, []);
  const choose = async (step: ProofStep) => {
    // The code is sent when the user asks for it.
    if (step !== 'EMAIL_CODE' || (await begin(true))) setChosen(step);
  };
  const steps = (challenge ? proofSteps(challenge) : []).filter(step => !assurance || step === 'TOTP' || step === 'PASSKEY');
  const step = chosen && steps.includes(chosen) ? chosen : steps.find(step => step !== 'EMAIL_CODE');
  const act = async (typed: FormData) => {
    const proof = await proofIn(step!, typed, challenge?.passkeyOptions);
    if (!proof) return proofs[step!].missing;
    const [first] = await reauthenticate({ challengeToken: isOfChallenge(step!) ? challenge?.challengeToken : undefined, proof });
    if (!first) return void given();
    // The options of a passkey are good for one attempt.
    if (step === 'PASSKEY') void begin(false);
    return told(first);
  };
  const cancel = (
    <button type="button" onClick={cancelled}>
      {texts.cancel}
    </button>
  );
  return (
    <Dialog title={words.title} onClose={cancelled}>
      <p>{assurance ? words.whyFactor : words.why}</p>
      {step ? (
        <ActionForm submit={words.submit} busy={words.busy} act={act} failed={undone} beside={cancel} key={step}>
          {/* Password managers need the username. */}
          <input type="text" hidden autocomplete="username" value={current()?.user.username} readOnly />
          {step === 'EMAIL_CODE' && <p role="status">{words.sent}</p>}
          <ProofField step={step} texts={proofs[step]} isChosen />
        </ActionForm>
      ) : (
        <>
          <p role="status">{challenge ? assurance && words.noFactor : !problem && texts.loading}</p>
          <p class="actions">{cancel}</p>
        </>
      )}
      <OtherSteps steps={steps.filter(other => other !== step)} texts={proofs} choose={step => void choose(step)} />
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}
