// Form for the next step of a login: a code from an e-mail, or the password.
import type { ChallengeFragment } from '../api/generated';
import { ActionForm } from './action-form';
import { CodeField, codeIn } from './code-field';
import { Field } from './field';

/** Proofs that the form asks for. */
export type Proof = { emailCode: string } | { password: string };

export interface ChallengeTexts {
  /** `to` is the shortened address, if the service tells it. */
  sent: (to: string | null) => string;
  code: string;
  codeHint: string;
  missingCode: string;
  password: string;
  missingPassword: string;
  /** For a step that the form does not have. */
  unsupported: string;
  submit: string;
  busy: string;
}

interface Props {
  challenge: Pick<ChallengeFragment, 'steps' | 'sentTo'>;
  texts: ChallengeTexts;
  /** Sends the proof. Returns the message of what is wrong, if anything is. */
  act: (proof: Proof) => Promise<string | undefined>;
  failed: (error: Error) => string;
}

export function ChallengeForm({ challenge, texts, act, failed }: Props) {
  const { steps, sentTo } = challenge;
  if (steps.includes('EMAIL_CODE')) {
    const answer = async (typed: FormData) => {
      const emailCode = codeIn(typed);
      return emailCode ? act({ emailCode }) : texts.missingCode;
    };
    return (
      <ActionForm submit={texts.submit} busy={texts.busy} act={answer} failed={failed}>
        <p class="sent">{texts.sent(sentTo)}</p>
        <CodeField label={texts.code} hint={texts.codeHint} />
      </ActionForm>
    );
  }
  if (steps.includes('PASSWORD')) {
    const answer = async (typed: FormData) => {
      const password = String(typed.get('password'));
      return password ? act({ password }) : texts.missingPassword;
    };
    return (
      <ActionForm submit={texts.submit} busy={texts.busy} act={answer} failed={failed}>
        <Field label={texts.password} name="password" type="password" autocomplete="current-password" />
      </ActionForm>
    );
  }
  return <p>{texts.unsupported}</p>;
}
