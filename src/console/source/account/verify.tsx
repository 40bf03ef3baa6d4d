// Page of links that verify an e-mail address: that of the account, or the new one of a change.
import { useState } from 'preact/hooks';

import { send } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { accessToken } from './access-token';
import { Done } from './done';
import { ConfirmEmailChangeByLinkDocument, VerifyEmailByLinkDocument } from './generated';
import { Incomplete } from './incomplete';
import { LogIn } from './log-in';
import { failed, told } from './problem';
import { texts } from './texts';

type View = 'link' | 'verified' | 'verifiedElsewhere' | 'stripped' | 'changed' | 'changedElsewhere' | 'expired';

const { verify: words } = texts;

export function Verify({ token }: { token?: string }) {
  const [view, setView] = useState<View>('link');
  if (!token) return <Incomplete />;
  switch (view) {
    case 'link': {
      const act = async () => {
        const session = await accessToken();
        const { verifyEmail } = await send(VerifyEmailByLinkDocument, { linkToken: token }, session);
        const [first] = verifyEmail.errors;
        if (!first) return void setView(verifyEmail.endedCount > 0 ? 'stripped' : session ? 'verified' : 'verifiedElsewhere');
        if (first.code !== 'CHALLENGE_EXPIRED') return told(first);
        // The link may be that of a change, which leads to the same page. The service spends no link
        // of another purpose.
        const { confirmEmailChange } = await send(ConfirmEmailChangeByLinkDocument, { linkToken: token }, session);
        const [other] = confirmEmailChange.errors;
        if (!other) return void setView(session ? 'changed' : 'changedElsewhere');
        return other.code === 'CHALLENGE_EXPIRED' ? void setView('expired') : told(other);
      };
      return (
        <Card title={words.title}>
          <p>{words.text}</p>
          <ActionForm submit={words.submit} busy={words.busy} act={act} failed={failed} />
        </Card>
      );
    }
    case 'expired':
      return <LogIn note={texts.expired.verify} />;
    case 'stripped':
    case 'verifiedElsewhere':
    case 'changedElsewhere':
      // Without a session that ended, only a login shows whether the password was removed.
      return (
        <Done title={view === 'changedElsewhere' ? words.changed : words.done}>
          <p>{view === 'stripped' ? words.ended : words.elsewhere}</p>
          <p>
            <a href="/account/reset">{texts.reset.link}</a>
          </p>
        </Done>
      );
    case 'verified':
    case 'changed':
      return (
        <Done title={view === 'changed' ? words.changed : words.done}>
          <p>{words.doneText}</p>
        </Done>
      );
  }
}
