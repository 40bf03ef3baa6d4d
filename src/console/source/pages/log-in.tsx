// Login page: the password, a passkey or an e-mail with a code, and the second step that the service asks for. It also
// says why the previous session ended.
import { useState } from 'preact/hooks';

import type { ChallengeFragment } from '../api/generated';
import { addPasskeyInLogin, beginPasskeyInLogin, logInWithPasskey } from '../api/passkeys';
import { addAppInLogin, beginAppInLogin, continueLogin, logIn, requestEmailLogin, take } from '../api/session';
import type { OutReason, StepAnswer } from '../api/session';
import { Unreachable } from '../api/transport';
import type { Problem } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { AddApp } from '../parts/add-app';
import { AddPasskey } from '../parts/add-passkey';
import { Card } from '../parts/card';
import { ChallengeForm } from '../parts/challenge-form';
import { told, undone } from '../parts/failure';
import { Field } from '../parts/field';
import { hasPasskeys } from '../parts/passkey';
import type { WebAuthnJson } from '../parts/passkey';
import { PasskeyLogin } from '../parts/passkey-login';
import type { Proof } from '../parts/proof-field';
import { RecoveryCodes } from '../parts/recovery-codes';
import { texts } from '../texts';

/** First step of a login. */
type First = 'password' | 'email';

type View =
  | { at: First; note?: string }
  | { at: 'challenge'; from: First; title: string; challenge: ChallengeFragment; isPasskey?: boolean }
  | { at: 'recoveryCodes'; codes: string[]; username: string; enter: () => void };

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
        further(challenge);
      };
      const passkey = async (challengeToken: string | null, credential: WebAuthnJson) => {
        const answer = await logInWithPasskey(challengeToken, credential);
        if (!answer.challenge) return problemIn(answer);
        further(answer.challenge);
      };
      const further = (challenge: ChallengeFragment) => {
        setView({ at: 'challenge', from: 'password', title: challenge.steps.includes('EMAIL_CODE') ? words.codeTitle : words.secondStep, challenge });
      };
      return (
        <Card title={words.title} key="password">
          <p class="reason" role="status">
            {view.note ?? (reason && texts.out[reason])}
          </p>
          <ActionForm submit={words.submit} busy={words.busy} act={act} failed={failed}>
            <Username autocomplete="username webauthn" />
            <Field label={words.password} name="password" type="password" autocomplete="current-password" />
          </ActionForm>
          <PasskeyLogin act={passkey} failed={failed} />
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
      const { challengeToken } = challenge;
      const expired = (note: string): undefined => {
        go(from, note);
      };
      if (challenge.steps.includes('ENROLL_FACTOR')) {
        const wrong = (problem: Problem) => (problem.code === 'CHALLENGE_EXPIRED' ? expired(words.expired) : told(problem));
        /** The login is complete. It is entered after the recovery codes were saved. */
        const complete = (login: Parameters<typeof take>[0] | null, codes: string[] | null) => {
          const enter = () => void (login && take(login));
          if (codes) setView({ at: 'recoveryCodes', codes, username: login?.user?.username ?? '', enter });
          else enter();
        };
        const instead = (isPasskey: boolean) => (
          <p class="links">
            {hasPasskeys && (
              <button type="button" class="plain" onClick={() => setView({ ...view, isPasskey })}>
                {isPasskey ? words.passkeyInstead : words.appInstead}
              </button>
            )}
            {link(words.otherAccount, from)}
          </p>
        );
        if (view.isPasskey) {
          return (
            <Card title={words.addPasskey} key="addPasskey">
              <p>{words.addPasskeyWhy}</p>
              <AddPasskey
                texts={texts.passkeys.add}
                begin={() => beginPasskeyInLogin(challengeToken)}
                register={addPasskeyInLogin}
                onAdded={({ login, recoveryCodes }) => complete(login, recoveryCodes)}
                told={wrong}
                failed={failed}
              />
              {instead(false)}
            </Card>
          );
        }
        const begin = async () => {
          const begun = await beginAppInLogin(challengeToken);
          const [first] = begun.errors;
          return first ? wrong(first) : begun;
        };
        const confirm = async (token: string, code: string) => {
          const { login, recoveryCodes, errors } = await addAppInLogin({ challengeToken: token, code });
          const [first] = errors;
          if (first) return wrong(first);
          complete(login, recoveryCodes);
        };
        return (
          <Card title={words.addApp} key="addApp">
            <p>{words.addAppWhy}</p>
            <AddApp texts={texts.security.addApp} begin={begin} confirm={confirm} failed={failed} />
            {instead(true)}
          </Card>
        );
      }
      const act = async (proof: Proof, trustDevice: boolean) => {
        const answer = await continueLogin({ challengeToken, proof, trustDevice });
        const [first] = answer.problems;
        if (first?.code === 'CHALLENGE_EXPIRED') return expired(words.expired);
        // After a right proof, another challenge is a further step. After a wrong one it is the same again.
        if (answer.challenge && first?.code === 'SECOND_STEP_REQUIRED') return void setView({ at: 'challenge', from, title: words.secondStep, challenge: answer.challenge });
        if (answer.challenge?.attemptsLeft === 0) return expired(words.tooMany);
        // The options of a passkey are good for one attempt.
        if (answer.challenge) setView({ ...view, challenge: answer.challenge });
        return first && [told(first), answer.challenge && words.attemptsLeft(answer.challenge.attemptsLeft)].filter(Boolean).join(' ');
      };
      return (
        <Card title={title} key={title}>
          <ChallengeForm challenge={challenge} texts={words.challenge} act={act} failed={failed} />
          <p class="links">{link(title === words.secondStep ? words.otherAccount : words.byPassword, 'password')}</p>
        </Card>
      );
    }
    case 'recoveryCodes': {
      const { codes, username, enter } = view;
      return (
        <Card title={texts.security.codes.title} key="recoveryCodes">
          <RecoveryCodes codes={codes} username={username} texts={texts.security.codes} onDone={enter} />
        </Card>
      );
    }
  }
}

const Username = ({ autocomplete = 'username' }: { autocomplete?: string }) => (
  <Field label={words.username} name="username" autocomplete={autocomplete} autocapitalize="none" spellcheck={false} autofocus />
);

const nameIn = (typed: FormData) => String(typed.get('username')).trim();

const problemIn = ({ problems: [first] }: StepAnswer) => first && told(first);

const failed = (error: Error) => (error instanceof Unreachable ? words.unreachable : undone(error));
