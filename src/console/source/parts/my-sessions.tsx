// List of the user's own sessions, with renaming and ending.
import { useEffect, useState } from 'preact/hooks';

import { EndOthersDocument, MySessionsDocument, RenameSessionDocument } from '../api/generated';
import type { SessionRowFragment } from '../api/generated';
import { ask } from '../api/session';
import { onSessionEnded } from '../api/session-ended-socket';
import { texts } from '../texts';
import { pageOf, useView } from './address-state';
import { Confirm } from './dialog';
import { EndOne } from './end-sessions';
import { Field } from './field';
import { List } from './list';
import type { Column } from './list';
import { reload, useQuery } from './query';
import { State, device } from './session-badge';
import { Time } from './time';

type Doing = { what: 'rename' | 'end'; session: SessionRowFragment } | { what: 'endOthers' };

const nameOf = (row: SessionRowFragment) => row.name ?? device(row.client);

export function MySessions() {
  const { view, show, turn } = useView();
  const isAll = view.ended === '1';
  const asked = useQuery(MySessionsDocument, { ...pageOf(view), filter: isAll ? {} : { state: 'ACTIVE' } });
  const [doing, setDoing] = useState<Doing>();
  useEffect(() => onSessionEnded(soon(reload)), []);
  const list = asked.data?.viewer?.sessions;
  const onClose = () => setDoing(undefined);
  const columns: Column<SessionRowFragment>[] = [
    {
      name: texts.sessions.device,
      cell: row => (
        <>
          <a href={`/console/sessions/${row.id}`} title={row.client.userAgent ?? undefined}>
            {nameOf(row)}
          </a>
          {row.isCurrent && <span class="badge">{texts.sessions.thisOne}</span>}
        </>
      ),
    },
    { name: texts.sessions.state, cell: row => <State state={row.state} reason={row.endReason} /> },
    { name: texts.sessions.address, cell: row => row.client.lastIp ?? row.client.ip ?? texts.none },
    { name: texts.sessions.created, cell: row => <Time at={row.createdAt} /> },
    { name: texts.sessions.lastUsed, cell: row => <Time at={row.lastUsedAt} /> },
    { name: texts.account.actions, cell: row => row.state === 'ACTIVE' && <Actions session={row} setDoing={setDoing} /> },
  ];
  return (
    <section aria-labelledby="sessions">
      <header class="section-head">
        <h2 id="sessions">{texts.account.sessions}</h2>
        <div class="actions">
          <button type="button" class="plain" onClick={() => show({ ended: isAll ? undefined : '1' })}>
            {isAll ? texts.account.showActive : texts.account.showAll}
          </button>
          <button type="button" onClick={() => setDoing({ what: 'endOthers' })}>
            {texts.account.endOthers}
          </button>
        </div>
      </header>
      <List caption={texts.account.sessionsCaption} asked={asked} list={list} columns={columns} empty={texts.account.emptySessions} turn={turn} />
      {doing?.what === 'rename' && <Rename session={doing.session} onClose={onClose} />}
      {doing?.what === 'end' && <EndOne id={doing.session.id} sure={doing.session.isCurrent ? texts.account.endOwn : texts.account.endOne(nameOf(doing.session))} onClose={onClose} />}
      {doing?.what === 'endOthers' && <EndOthers onClose={onClose} />}
    </section>
  );
}

/** Debounced, because many sessions may end together. */
function soon(run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, 200);
  };
}

function Actions({ session, setDoing }: { session: SessionRowFragment; setDoing: (doing: Doing) => void }) {
  const button = (what: 'rename' | 'end', label: string) => (
    <button type="button" class="plain" aria-label={`${label}: ${nameOf(session)}`} onClick={() => setDoing({ what, session })}>
      {label}
    </button>
  );
  return (
    <span class="actions">
      {button('rename', texts.account.rename)}
      {button('end', texts.account.end)}
    </span>
  );
}

interface DialogProps {
  onClose: () => void;
}

function Rename({ session, onClose }: DialogProps & { session: SessionRowFragment }) {
  const [name, setName] = useState(session.name ?? '');
  const rename = async () => (await ask(RenameSessionDocument, { sessionId: session.id, name })).renameSession;
  return (
    <Confirm title={texts.account.renameTitle} confirm={texts.account.save} disabled={!name.trim()} act={rename} said={() => texts.account.renamed} onClose={onClose}>
      <Field label={texts.account.name} value={name} maxLength={100} placeholder={device(session.client)} onInput={event => setName(event.currentTarget.value)} />
    </Confirm>
  );
}

function EndOthers({ onClose }: DialogProps) {
  const end = async () => (await ask(EndOthersDocument, {})).logout;
  const said = ({ endedCount }: { endedCount: number }) => (endedCount ? texts.sessions.ended(endedCount) : texts.account.noOthers);
  return (
    <Confirm title={texts.account.endOthers} confirm={texts.account.endOthers} busy={texts.end.busy} danger act={end} said={said} onClose={onClose}>
      <p>{texts.account.endOthersSure}</p>
    </Confirm>
  );
}
