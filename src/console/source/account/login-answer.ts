// What follows from the answer to a step of a login.
import type { ChallengeFragment, LoginStepAnswerFragment } from './generated';
import { told } from './problem';
import { texts } from './texts';

interface Next {
  done: () => void;
  further: (challenge: ChallengeFragment) => void;
  /** `note` says why the login begins again. */
  expired: (note: string) => void;
}

/** Goes on to the next view. Returns the message of what is wrong, if the view stays. */
export function follow({ session, challenge, errors }: LoginStepAnswerFragment, next: Next): string | undefined {
  const [first] = errors;
  if (session) return void next.done();
  // After a right proof, the challenge is a further step. After a wrong one it is the same again.
  if (challenge && first?.code === 'SECOND_STEP_REQUIRED') return void next.further(challenge);
  if (!first) return texts.otherProblem;
  if (first.code === 'CHALLENGE_EXPIRED') return void next.expired(texts.challenge.expired);
  if (challenge?.attemptsLeft === 0) return void next.expired(texts.challenge.tooMany);
  return challenge ? `${told(first)} ${texts.attemptsLeft(challenge.attemptsLeft)}` : told(first);
}
