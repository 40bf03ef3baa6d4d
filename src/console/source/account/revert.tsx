// Page of links that take a change of the e-mail address back.
import { useState } from 'preact/hooks';

import { send } from '../api/transport';
import { ActionForm } from '../parts/action-form';
import { Card } from '../parts/card';
import { Done } from './done';
import { RevertEmailChangeDocument } from './generated';
import { Incomplete } from './incomplete';
import { failed, told } from './problem';
import { texts } from './texts';

type View = { at: 'link' } | { at: 'done'; endedCount: number } | { at: 'expired' };

const { revert: words } = texts;

export function Revert({ token }: { token?: string }) {
  const [view, setView] = useState<View>({ at: 'link' });
  if (!token) return <Incomplete />;
  switch (view.at) {
    case 'link': {
      const act = async () => {
        const { revertEmailChange } = await send(RevertEmailChangeDocument, { linkToken: token });
        const [first] = revertEmailChange.errors;
        if (!first) return void setView({ at: 'done', endedCount: revertEmailChange.endedCount });
        return first.code === 'CHALLENGE_EXPIRED' ? void setView({ at: 'expired' }) : told(first);
      };
      return (
        <Card title={words.title}>
          <p>{words.text}</p>
          <ActionForm submit={words.submit} busy={words.busy} act={act} failed={failed} />
        </Card>
      );
    }
    case 'done':
      return (
        <Done title={words.done}>
          <p>{words.doneText(view.endedCount)}</p>
          <ResetLink />
        </Done>
      );
    case 'expired':
      return (
        <Card title={texts.expired.title}>
          <p>{texts.expired.revert}</p>
          <ResetLink />
        </Card>
      );
  }
}

const ResetLink = () => (
  <p>
    <a href="/account/reset">{texts.reset.link}</a>
  </p>
);
