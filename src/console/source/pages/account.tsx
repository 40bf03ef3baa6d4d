// "My account" page, for every role: the user's own profile, password, e-mail address, second factors, data,
// sessions and events.
import { useState } from 'preact/hooks';

import { MyAccountDocument } from '../api/generated';
import { ChangePassword } from '../parts/change-password';
import { MyData } from '../parts/my-data';
import { MyEmail } from '../parts/my-email';
import { MyEvents } from '../parts/my-events';
import { MySecurity } from '../parts/my-security';
import { MySessions } from '../parts/my-sessions';
import { Facts } from '../parts/name-value-list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { Time } from '../parts/time';
import { texts } from '../texts';

export function Account() {
  const asked = useQuery(MyAccountDocument, {});
  const [isChanging, setChanging] = useState(false);
  const viewer = asked.data?.viewer;
  return (
    <Page
      title={texts.account.title}
      actions={
        <button type="button" onClick={() => setChanging(true)}>
          {texts.account.changePassword}
        </button>
      }
    >
      <section aria-label={texts.account.facts} class="band">
        <Facts
          facts={{
            [texts.account.username]: viewer?.username ?? (asked.loading ? texts.loading : texts.none),
            [texts.account.role]: viewer ? texts.role[viewer.role] : texts.none,
            [texts.users.roles]: viewer?.roles.join(', '),
            [texts.users.externalId]: viewer?.externalId,
            [texts.account.since]: <Time at={viewer?.createdAt} />,
            [texts.account.lastLogin]: <Time at={viewer?.lastLoginAt} />,
            [texts.account.passwordChanged]: viewer && !viewer.passwordChangedAt ? texts.account.never : <Time at={viewer?.passwordChangedAt} />,
            [texts.myData.locale]: viewer && (viewer.locale === null ? texts.myData.anyLocale : (texts.languages[viewer.locale] ?? viewer.locale)),
          }}
        />
      </section>
      {viewer && <MyEmail viewer={viewer} />}
      <MySecurity />
      {viewer && <MyData viewer={viewer} />}
      <MySessions />
      <MyEvents />
      {isChanging && <ChangePassword onClose={() => setChanging(false)} />}
    </Page>
  );
}
