// Further step of a login: a second factor, or a code from an e-mail. Where the account has no second factor and
// needs one, an authenticator app or a passkey is added.
import { useState } from 'preact/hooks';

import { send } from '../api/transport';
import type { Problem } from '../api/transport';
import { AddApp } from '../parts/add-app';
import { AddPasskey } from '../parts/add-passkey';
import { Card } from '../parts/card';
import { ChallengeForm } from '../parts/challenge-form';
import { hasPasskeys } from '../parts/passkey';
import type { Proof } from '../parts/proof-field';
import { RecoveryCodes } from '../parts/recovery-codes';
import { BeginPasskeyRegistrationDocument, BeginTotpDocument, ConfirmTotpDocument, ContinueLoginDocument, RegisterPasskeyDocument } from './generated';
import type { ChallengeFragment } from './generated';
import { follow } from './login-answer';
import { failed, told } from './problem';
import { texts } from './texts';

interface Props {
  title: string;
  text?: string;
  challenge: ChallengeFragment;
  onDone: () => void;
  onFurther: (challenge: ChallengeFragment) => void;
  /** `note` says why the login begins again. */
  onExpired: (note: string) => void;
  /** Requests another e-mail, if the code was sent by one. */
  onAnother?: () => void;
}

export function FurtherStep({ title, text, challenge, onDone, onFurther, onExpired, onAnother }: Props) {
  // After a wrong passkey the challenge has other options for it.
  const [renewed, setRenewed] = useState(challenge);
  const { challengeToken } = challenge;
  const next = { done: onDone, further: onFurther, expired: onExpired };
  if (challenge.steps.includes('ENROLL_FACTOR')) return <AddFactorStep text={text} challengeToken={challengeToken} next={next} />;
  const act = async (proof: Proof, trustDevice: boolean) => {
    const { continueLogin } = await send(ContinueLoginDocument, { challengeToken, proof, trustDevice });
    if (continueLogin.challenge) setRenewed(continueLogin.challenge);
    return follow(continueLogin, next);
  };
  return (
    <Card title={title}>
      {text && <p>{text}</p>}
      <ChallengeForm challenge={renewed} texts={texts.challenge} act={act} failed={failed} />
      {onAnother && <Another onClick={onAnother} />}
    </Card>
  );
}

interface AddFactorStepProps {
  text?: string;
  challengeToken: string | null;
  next: Parameters<typeof follow>[1];
}

/** The login is complete with the factor. Its end is told after the recovery codes were saved. */
function AddFactorStep({ text, challengeToken, next }: AddFactorStepProps) {
  const [isPasskey, setPasskey] = useState(false);
  const [shown, setShown] = useState<{ codes: string[]; username: string }>();
  if (shown) {
    return (
      <Card title={texts.recoveryCodes.title}>
        <RecoveryCodes {...shown} texts={texts.recoveryCodes} onDone={next.done} />
      </Card>
    );
  }
  const wrong = (problem: Problem) => (problem.code === 'CHALLENGE_EXPIRED' ? void next.expired(texts.challenge.expired) : told(problem));
  const complete = (username: string | undefined, codes: string[] | null) => (codes ? setShown({ codes, username: username ?? '' }) : next.done());
  const instead = hasPasskeys && (
    <p class="links">
      <button type="button" class="plain" onClick={() => setPasskey(!isPasskey)}>
        {isPasskey ? texts.appInstead : texts.passkeyInstead}
      </button>
    </p>
  );
  if (isPasskey) {
    return (
      <Card title={texts.addPasskey.title}>
        <p>
          {text} {texts.addPasskey.why}
        </p>
        <AddPasskey
          texts={texts.addPasskey}
          begin={async () => (await send(BeginPasskeyRegistrationDocument, { challengeToken })).beginPasskeyRegistration}
          register={async created => (await send(RegisterPasskeyDocument, created)).registerPasskey}
          onAdded={({ login, recoveryCodes }) => complete(login?.user?.username, recoveryCodes)}
          told={wrong}
          failed={failed}
        />
        {instead}
      </Card>
    );
  }
  const begin = async () => {
    const { beginTotp } = await send(BeginTotpDocument, { challengeToken });
    const [first] = beginTotp.errors;
    return first ? wrong(first) : beginTotp;
  };
  const confirm = async (token: string, code: string) => {
    const { login, recoveryCodes, errors, user } = (await send(ConfirmTotpDocument, { challengeToken: token, code })).confirmTotp;
    const [first] = errors;
    if (first) return wrong(first);
    if (!login?.session) return texts.otherProblem;
    complete(user?.username, recoveryCodes);
  };
  return (
    <Card title={texts.addApp.title}>
      <p>
        {text} {texts.addApp.why}
      </p>
      <AddApp texts={texts.addApp} begin={begin} confirm={confirm} failed={failed} />
      {instead}
    </Card>
  );
}

export const Another = ({ onClick }: { onClick: () => void }) => (
  <p class="links">
    <button type="button" class="plain" onClick={onClick}>
      {texts.challenge.another}
    </button>
  </p>
);
