// Mail page, for administrators: the e-mails that wait, that could not be sent, and, without an SMTP server,
// those that are kept.
import { useState } from 'preact/hooks';

import { MailDocument, RetryEmailsDocument } from '../api/generated';
import type { MailRowFragment } from '../api/generated';
import { ask } from '../api/session';
import { pageOf, useView } from '../parts/address-state';
import { Confirm, Dialog } from '../parts/dialog';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Facts } from '../parts/name-value-list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { Time } from '../parts/time';
import { texts } from '../texts';

const { mail: words } = texts;

type Doing = { what: 'retry' } | { what: 'show'; mail: MailRowFragment };

export function Mail() {
  const { view, turn } = useView();
  const asked = useQuery(MailDocument, pageOf(view));
  const [doing, setDoing] = useState<Doing>();
  const onClose = () => setDoing(undefined);
  const columns: Column<MailRowFragment>[] = [
    { name: words.created, cell: row => <Time at={row.createdAt} seconds /> },
    { name: words.purpose, cell: row => purposeOf(row) },
    { name: words.to, cell: row => row.to },
    { name: words.state, cell: row => <State mail={row} /> },
    { name: words.attempts, cell: row => row.attempts.toLocaleString('en'), isNumber: true },
    { name: words.lastError, cell: row => row.lastError ?? texts.none },
    { name: words.actions, cell: row => <Show mail={row} show={() => setDoing({ what: 'show', mail: row })} /> },
  ];
  return (
    <Page
      title={words.title}
      actions={
        <button type="button" onClick={() => setDoing({ what: 'retry' })}>
          {words.retry}
        </button>
      }
    >
      <List caption={words.caption} asked={asked} list={asked.data?.emails} columns={columns} empty={words.empty} turn={turn} />
      {doing?.what === 'retry' && <Retry onClose={onClose} />}
      {doing?.what === 'show' && <Shown mail={doing.mail} onClose={onClose} />}
    </Page>
  );
}

/** Purposes are those of the templates, of which a newer version may have more. */
const purposeOf = ({ purpose }: MailRowFragment) => words.purposes[purpose] ?? purpose;

const State = ({ mail: { state } }: { mail: MailRowFragment }) => (
  <span class={`badge ${state === 'FAILED' ? 'alarm' : state.toLowerCase()}`} title={words.stateMore[state]}>
    {words.states[state]}
  </span>
);

const Show = ({ mail, show }: { mail: MailRowFragment; show: () => void }) => (
  <button type="button" class="plain" aria-label={`${words.show}: ${purposeOf(mail)}, ${mail.to}`} onClick={show}>
    {words.show}
  </button>
);

function Retry({ onClose }: { onClose: () => void }) {
  const retry = async () => (await ask(RetryEmailsDocument, {})).retryEmails;
  return (
    <Confirm title={words.retry} confirm={words.retry} act={retry} said={({ retriedCount }) => words.retried(retriedCount)} onClose={onClose}>
      <p>{words.retryHow}</p>
    </Confirm>
  );
}

function Shown({ mail, onClose }: { mail: MailRowFragment; onClose: () => void }) {
  return (
    <Dialog title={mail.subject ?? purposeOf(mail)} onClose={onClose}>
      <Facts
        facts={{
          [words.to]: mail.to,
          [words.locale]: texts.languages[mail.locale] ?? mail.locale,
          [words.state]: <State mail={mail} />,
          [words.lastError]: mail.lastError,
        }}
      />
      {/* It scrolls, so it takes the focus. */}
      {mail.text === null ? (
        <p class="hint">{words.noText}</p>
      ) : (
        <pre tabIndex={0} role="region" aria-label={words.text}>
          {mail.text}
        </pre>
      )}
      <p class="actions">
        <button type="button" onClick={onClose}>
          {texts.close}
        </button>
      </p>
    </Dialog>
  );
}
