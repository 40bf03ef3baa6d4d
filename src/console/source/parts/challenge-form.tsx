// Form for the next step of a login, with buttons for the other proofs that the step accepts.
import { useState } from 'preact/hooks';

import type { ChallengeFragment } from '../api/generated';
import { ActionForm } from './action-form';
import { ProofField, proofIn, proofSteps } from './proof-field';
import type { Proof, ProofTexts, ProofStep } from './proof-field';

export interface ChallengeTexts {
  /** `to` is the shortened address, if the service tells it. */
  sent: (to: string | null) => string;
  proofs: Record<ProofStep, ProofTexts>;
  /** For a step that the form does not have. */
  unsupported: string;
  until: (time: Date) => string;
  trustDevice: (days: number) => string;
  submit: string;
  busy: string;
}

interface Props {
  challenge: Pick<ChallengeFragment, 'steps' | 'sentTo' | 'expiresAt' | 'passkeyOptions' | 'trustDeviceSeconds'>;
  texts: ChallengeTexts;
  /** Sends the proof. Returns the message of what is wrong, if anything is. */
  act: (proof: Proof, trustDevice: boolean) => Promise<string | undefined>;
  failed: (error: Error) => string;
}

export function ChallengeForm({ challenge, texts, act, failed }: Props) {
  const steps = proofSteps(challenge);
  const [chosen, choose] = useState<ProofStep>();
  const step = chosen ?? steps[0];
  if (!step) return <p>{texts.unsupported}</p>;
  const answer = async (typed: FormData) => {
    const proof = await proofIn(step, typed, challenge.passkeyOptions);
    return proof ? act(proof, typed.has('trustDevice')) : texts.proofs[step].missing;
  };
  // A recovery code makes no device a trusted one, and a first step neither.
  const canTrust = step === 'PASSKEY' || step === 'TOTP';
  const trustDays = challenge.trustDeviceSeconds && Math.max(1, Math.round(challenge.trustDeviceSeconds / 86_400));
  return (
    <>
      <ActionForm submit={texts.submit} busy={texts.busy} act={answer} failed={failed} key={step}>
        {step === 'EMAIL_CODE' && <p class="sent">{texts.sent(challenge.sentTo)}</p>}
        <ProofField step={step} texts={texts.proofs[step]} isChosen={chosen !== undefined} />
        {canTrust && trustDays && (
          <label class="choice">
            <input type="checkbox" name="trustDevice" />
            {texts.trustDevice(trustDays)}
          </label>
        )}
        <p class="hint">{texts.until(new Date(challenge.expiresAt))}</p>
      </ActionForm>
      <OtherSteps steps={steps.filter(other => other !== step)} texts={texts.proofs} choose={choose} />
    </>
  );
}

interface OtherStepsProps {
  steps: ProofStep[];
  texts: Record<ProofStep, ProofTexts>;
  choose: (step: ProofStep) => void;
}

export function OtherSteps({ steps, texts, choose }: OtherStepsProps) {
  if (steps.length === 0) return null;
  return (
    <p class="links">
      {steps.map(step => (
        <button type="button" class="plain" onClick={() => choose(step)} key={step}>
          {texts[step].instead}
        </button>
      ))}
    </p>
  );
}
