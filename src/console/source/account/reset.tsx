// Page of links that set a new password. Without a link it requests an e-mail and takes its code.
import { useState } from 'preact/hooks';

import { send } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { CodeField, codeIn } from '../parts/code-field';
import { Field } from '../parts/field';
import { Done } from './done';
import { Another, FurtherStep } from './further-step';
import { RequestPasswordResetDocument, ResetPasswordDocument } from './generated';
import type { ChallengeFragment, ResetPasswordMutationVariables } from './generated';
import { follow } from './login-answer';
import { failed } from './problem';
import { RequestEmail } from './request-email';
import { language, texts } from './texts';

type View =
  | { at: 'link'; token: string }
  | { at: 'request'; note?: string }
  | { at: 'code' | 'further'; challenge: ChallengeFragment }
  | { at: 'done' | 'setOnly' };

const { reset: words } = texts;

export function Reset({ token }: { token?: string }) {
  const [view, setView] = useState<View>(token ? { at: 'link', token } : { at: 'request' });
  const [username, setUsername] = useState('');
  const next = {
    done: () => setView({ at: 'done' }),
    further: (challenge: ChallengeFragment) => setView({ at: 'further', challenge }),
    expired: () => setView({ at: 'request', note: texts.expired.text }),
  };
  const reset = async (proof: ResetPasswordMutationVariables['proof'], typed: FormData) => {
    const [newPassword, again] = [String(typed.get('password')), String(typed.get('repeat'))];
    if (!newPassword || !again) return words.missing;
    if (newPassword !== again) return words.different;
    const { resetPassword } = await send(ResetPasswordDocument, { proof, newPassword });
    return follow(resetPassword, next);
  };
  switch (view.at) {
    case 'link':
      return (
        <Card title={words.title}>
          <ActionForm submit={words.submit} busy={words.busy} act={typed => reset({ linkToken: view.token }, typed)} failed={failed}>
            <NewPassword />
          </ActionForm>
        </Card>
      );
    case 'request':
      return (
        <RequestEmail
          title={words.request}
          text={words.requestText}
          note={view.note}
          username={username}
          request={async name => (await send(RequestPasswordResetDocument, { username: name })).requestPasswordReset}
          onSent={(challenge, name) => {
            setUsername(name);
            setView({ at: 'code', challenge });
          }}
        />
      );
    case 'code': {
      const { challengeToken, sentTo, expiresAt } = view.challenge;
      const act = async (typed: FormData) => {
        const code = codeIn(typed);
        return code ? reset({ code: { challengeToken, code } }, typed) : texts.challenge.proofs.EMAIL_CODE.missing;
      };
      return (
        <Card title={words.title}>
          <p class="sent">
            {texts.challenge.sent(sentTo)} {texts.challenge.validUntil(clock(expiresAt))}
          </p>
          <ActionForm submit={words.submit} busy={words.busy} act={act} failed={failed}>
            <CodeField label={texts.challenge.proofs.EMAIL_CODE.label} hint={texts.challenge.proofs.EMAIL_CODE.hint} />
            {/* Password managers need the username. */}
            <input type="text" hidden autocomplete="username" value={username} readOnly />
            <NewPassword />
          </ActionForm>
          <Another onClick={() => setView({ at: 'request' })} />
        </Card>
      );
    }
    case 'further':
      return (
        <FurtherStep
          title={texts.challenge.furtherTitle}
          text={words.furtherText}
          challenge={view.challenge}
          onDone={next.done}
          onFurther={next.further}
          onExpired={() => setView({ at: 'setOnly' })}
        />
      );
    case 'done':
      return (
        <Done title={words.done} isLoggedIn>
          <p>{words.doneText}</p>
        </Done>
      );
    case 'setOnly':
      return (
        <Done title={words.done}>
          <p>{words.notLoggedIn}</p>
        </Done>
      );
  }
}

function NewPassword() {
  return (
    <>
      <Field label={words.password} hint={words.passwordHint} name="password" type="password" autocomplete="new-password" />
      <Field label={words.repeat} name="repeat" type="password" autocomplete="new-password" />
    </>
  );
}

const clock = (at: string) => new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(at));
