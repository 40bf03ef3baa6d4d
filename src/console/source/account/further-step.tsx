// Further step of a login, such as a second code.
import { send } from '../api/transport';
import { Card } from '../parts/card';
import { ChallengeForm } from '../parts/challenge-form';
import type { Proof } from '../parts/challenge-form';
import { ContinueLoginDocument } from './generated';
import type { ChallengeFragment } from './generated';
import { follow } from './login-answer';
import { failed } from './problem';
import { texts } from './texts';

interface Props {
  title: string;
  text?: string;
  challenge: ChallengeFragment;
  onDone: () => void;
  onFurther: (challenge: ChallengeFragment) => void;
  onExpired: () => void;
  /** Requests another e-mail, if the code was sent by one. */
  onAnother?: () => void;
}

export function FurtherStep({ title, text, challenge, onDone, onFurther, onExpired, onAnother }: Props) {
  const act = async (proof: Proof) => {
    const { continueLogin } = await send(ContinueLoginDocument, { challengeToken: challenge.challengeToken, proof });
    return follow(continueLogin, { done: onDone, further: onFurther, expired: onExpired });
  };
  return (
    <Card title={title}>
      {text && <p>{text}</p>}
      <ChallengeForm challenge={challenge} texts={texts.challenge} act={act} failed={failed} />
      {onAnother && <Another onClick={onAnother} />}
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
