// Login page: the password or an e-mail with a code, and the further step that the service asks for. It also
// says why the previous session ended.
import { useState } from 'preact/hooks';

import type { ChallengeFragment } from '../api/generated';
import { continueLogin, logIn, requestEmailLogin } from '../api/session';
import type { OutReason, StepAnswer } from '../api/session';
import { Unreachable } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { ChallengeForm } from '../parts/challenge-form';
import type { Proof } from '../parts/challenge-form';
import { told, undone } from '../parts/failure';
import { Field, sentence } from '../parts/field';
import { texts } from '../texts';

/** First step of a login. */
type First = 'password' | 'email';

type View = { at: First; note?: string } | { at: 'challenge'; from: First; title: string; challenge: ChallengeFragment };

const { logIn: words } = texts;

export function LogIn({ reason }: { reason?: OutReason }) {
  const [view, setView] = useState<View>({ at: 'password' });
  const go = (at: First, note?: string) => setView({ at, note });
  const link = (label: string, at: First) => (
    <button type="button" class="plain" onClick={() => go(at)}>
      {label}
    </button>
  );
  switch (view.at) {
    case 'password': {
      const act = async (typed: FormData) => {
        const who = { username: nameIn(typed), password: String(typed.get('password')) };
        if (!who.username || !who.password) return words.missing;
        const answer = await logIn(who);
        const { challenge } = answer;
        if (!challenge) return problemIn(answer);
        setView({ at: 'challenge', from: 'password', title: challenge.steps.includes('EMAIL_CODE') ? words.verifyTitle : words.furtherStep, challenge });
      };
      return (
        <Card title={words.title} key="password">
          <p class="reason" role="status">
            {view.note ?? (reason && texts.out[reason])}
          </p>
          <ActionForm submit={words.submit} busy={words.busy} act={act} failed={failed}>
            <Username />
            <Field label={words.password} name="password" type="password" autocomplete="current-password" />
          </ActionForm>
          <p class="links">
            {/* A page of the service, not of the console. */}
            <a href="/account/reset">{words.forgot}</a>
            {link(words.byEmail, 'email')}
          </p>
        </Card>
      );
    }
    case 'email': {
      const act = async (typed: FormData) => {
        const username = nameIn(typed);
        if (!username) return words.missingName;
        const answer = await requestEmailLogin(username);
        if (!answer.challenge) return problemIn(answer);
        setView({ at: 'challenge', from: 'email', title: words.byEmail, challenge: answer.challenge });
      };
      return (
        <Card title={words.byEmail} key="email">
          <p class="reason" role="status">
            {view.note}
          </p>
          <ActionForm submit={words.request} busy={words.requesting} act={act} failed={failed}>
            <p>{words.byEmailHow}</p>
            <Username />
          </ActionForm>
          <p class="links">{link(words.byPassword, 'password')}</p>
        </Card>
      );
    }
    case 'challenge': {
      const { from, title, challenge } = view;
      const act = async (proof: Proof) => {
        const answer = await continueLogin({ challengeToken: challenge.challengeToken, proof });
        const [first] = answer.problems;
        if (first?.code === 'CHALLENGE_EXPIRED') return void go(from, sentence(first.message));
        // After a right proof, another challenge is a further step. After a wrong one it is the same again.
        if (answer.challenge && first?.code === 'SECOND_STEP_REQUIRED') return void setView({ at: 'challenge', from, title: words.furtherStep, challenge: answer.challenge });
        return first && [told(first), answer.challenge && words.attemptsLeft(answer.challenge.attemptsLeft)].filter(Boolean).join(' ');
      };
      return (
        <Card title={title} key={title}>
          <ChallengeForm challenge={challenge} texts={words.challenge} act={act} failed={failed} />
          <p class="links">{link(words.byPassword, 'password')}</p>
        </Card>
      );
    }
  }
}

const Username = () => <Field label={words.username} name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus />;

const nameIn = (typed: FormData) => String(typed.get('username')).trim();

const problemIn = ({ problems: [first] }: StepAnswer) => first && told(first);

const failed = (error: Error) => (error instanceof Unreachable ? words.unreachable : undone(error));
