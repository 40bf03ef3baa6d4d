// Page of links that log in. Without a link it requests an e-mail and takes its code.
import { useState } from 'preact/hooks';

import { send } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { accessToken } from './access-token';
import { Done } from './done';
import { FurtherStep } from './further-step';
import { LoginWithLinkDocument, RequestEmailLoginDocument } from './generated';
import type { ChallengeFragment } from './generated';
import { follow } from './login-answer';
import { failed } from './problem';
import { RequestEmail } from './request-email';
import { texts } from './texts';

type View =
  | { at: 'link'; token: string }
  | { at: 'request'; note?: string }
  | { at: 'code' | 'further'; challenge: ChallengeFragment }
  | { at: 'done' };

interface Props {
  token?: string;
  /** Why the person shall log in by e-mail. */
  note?: string;
}

export function LogIn({ token, note }: Props) {
  const [view, setView] = useState<View>(token ? { at: 'link', token } : { at: 'request', note });
  const [username, setUsername] = useState('');
  const next = {
    done: () => setView({ at: 'done' }),
    further: (challenge: ChallengeFragment) => setView({ at: 'further', challenge }),
    expired: () => setView({ at: 'request', note: texts.expired.text }),
  };
  switch (view.at) {
    case 'link': {
      const act = async () => {
        const { loginWithLink } = await send(LoginWithLinkDocument, { linkToken: view.token }, await accessToken());
        return follow(loginWithLink, next);
      };
      return (
        <Card title={texts.logIn.title}>
          <p>{texts.logIn.text}</p>
          <ActionForm submit={texts.logIn.submit} busy={texts.logIn.busy} act={act} failed={failed} />
        </Card>
      );
    }
    case 'request':
      return (
        <RequestEmail
          title={texts.logIn.request}
          text={texts.logIn.requestText}
          note={view.note}
          username={username}
          request={async name => (await send(RequestEmailLoginDocument, { username: name })).requestEmailLogin}
          onSent={(challenge, name) => {
            setUsername(name);
            setView({ at: 'code', challenge });
          }}
        />
      );
    case 'code':
    case 'further':
      return (
        <FurtherStep
          title={view.at === 'code' ? texts.logIn.title : texts.challenge.furtherTitle}
          challenge={view.challenge}
          onDone={next.done}
          onFurther={next.further}
          onExpired={note => setView({ at: 'request', note })}
          onAnother={view.at === 'code' ? () => setView({ at: 'request' }) : undefined}
          key={view.at}
        />
      );
    case 'done':
      return (
        <Done title={texts.logIn.done} isLoggedIn>
          <p>{texts.logIn.doneText}</p>
        </Done>
      );
  }
}
