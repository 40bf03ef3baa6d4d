// One proof: a passkey, a code of an authenticator app, a code from an e-mail, a recovery code, or the password.
import { useLayoutEffect, useRef } from 'preact/hooks';

import type { ChallengeFragment } from '../api/generated';
import { CodeField, codeIn } from './code-field';
import { Field } from './field';
import { askPasskey, hasPasskeys } from './passkey';
import type { WebAuthnJson } from './passkey';

type LoginStep = ChallengeFragment['steps'][number];

/** Steps that a form can ask for, the preferred one first. */
const PROOFS = ['PASSKEY', 'TOTP', 'PASSWORD', 'EMAIL_CODE', 'RECOVERY_CODE'] as const satisfies LoginStep[];

export type ProofStep = (typeof PROOFS)[number];

export type Proof = { passkey: WebAuthnJson } | { totpCode: string } | { password: string } | { emailCode: string } | { recoveryCode: string };

export interface ProofTexts {
  label: string;
  hint?: string;
  /** Message for an empty input. */
  missing?: string;
  /** Label of the button that asks for this proof instead of another. */
  instead: string;
}

/** Those of the steps of a challenge that this form and this browser can ask for, the preferred one first. */
export const proofSteps = ({ steps, passkeyOptions }: Pick<ChallengeFragment, 'steps' | 'passkeyOptions'>): ProofStep[] =>
  PROOFS.filter(step => steps.includes(step) && (step !== 'PASSKEY' || (hasPasskeys && passkeyOptions)));

interface Props {
  step: ProofStep;
  texts: ProofTexts;
  /** Whether the user has just asked for this input. */
  isChosen: boolean;
}

export function ProofField({ step, texts: { label, hint }, isChosen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  // With the new input, before the next key press.
  useLayoutEffect(() => {
    // A passkey has no input: the next key press goes to the button.
    const { current } = place;
    if (isChosen) (current!.querySelector('input') ?? current!.closest('form')!.querySelector<HTMLElement>('[type=submit]'))?.focus();
  }, []);
  return <div ref={place}>{input()}</div>;

  function input() {
    switch (step) {
      case 'PASSKEY':
        return <p>{hint}</p>;
      case 'TOTP':
      case 'EMAIL_CODE':
        return <CodeField label={label} hint={hint} autofocus={isChosen} />;
      case 'PASSWORD':
        return <Field label={label} hint={hint} name="password" type="password" autocomplete="current-password" autofocus={isChosen} />;
      case 'RECOVERY_CODE':
        return <Field label={label} hint={hint} name="recovery" class="code" autocomplete="off" autocapitalize="characters" spellcheck={false} maxLength={40} autofocus={isChosen} />;
    }
  }
}

/**
 * The proof that was typed, or that the browser gives for the options of a challenge; undefined if the input is empty.
 * @throws {NoPasskey}
 */
export async function proofIn(step: ProofStep, typed: FormData, passkeyOptions?: WebAuthnJson | null): Promise<Proof | undefined> {
  const code = codeIn(typed);
  switch (step) {
    case 'PASSKEY':
      return { passkey: await askPasskey(passkeyOptions!) };
    case 'TOTP':
      return code ? { totpCode: code } : undefined;
    case 'EMAIL_CODE':
      return code ? { emailCode: code } : undefined;
    case 'PASSWORD': {
      const password = String(typed.get('password'));
      return password ? { password } : undefined;
    }
    case 'RECOVERY_CODE': {
      const recoveryCode = String(typed.get('recovery')).trim();
      return recoveryCode ? { recoveryCode } : undefined;
    }
  }
}
