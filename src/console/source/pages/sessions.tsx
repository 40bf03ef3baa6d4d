// Sessions page, for administrators: the sessions of all users, with filters and the ending of sessions.
import { useState } from 'preact/hooks';

import { SessionsDocument } from '../api/generated';
import type { EndReason, SessionFilter, SessionRowFragment, SessionState } from '../api/generated';
import { pageOf, useView } from '../parts/address-state';
import type { View } from '../parts/address-state';
import { EndMatching, EndSelected } from '../parts/end-sessions';
import { Filters } from '../parts/filters';
import type { Filter } from '../parts/filters';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { State, device } from '../parts/session-badge';
import { Time } from '../parts/time';
import { useUserFilter } from '../parts/user-filter';
import { texts } from '../texts';

const { ROTATED: _, ...endReasons } = texts.reason;

const filters: Filter[] = [
  { name: 'state', label: texts.sessions.state, options: texts.state },
  { name: 'user', label: texts.sessions.user },
  { name: 'ip', label: texts.sessions.address, hint: texts.sessions.addressHint },
  { name: 'agent', label: texts.sessions.userAgent },
  { name: 'reason', label: texts.sessions.endReason, options: endReasons, isSeldom: true },
  { name: 'createdFrom', label: `${texts.sessions.created} ${texts.filters.after}`, isTime: true, isSeldom: true },
  { name: 'createdUntil', label: `${texts.sessions.created} ${texts.filters.before}`, isTime: true, isSeldom: true },
  { name: 'usedFrom', label: `${texts.sessions.lastUsed} ${texts.filters.after}`, isTime: true, isSeldom: true },
  { name: 'usedUntil', label: `${texts.sessions.lastUsed} ${texts.filters.before}`, isTime: true, isSeldom: true },
];

const filterOf = (view: View, userId: string | undefined): SessionFilter => ({
  state: view.state as SessionState | undefined,
  userId,
  ip: view.ip,
  userAgentContains: view.agent,
  endReason: view.reason as EndReason | undefined,
  createdAt: { after: view.createdFrom, before: view.createdUntil },
  lastUsedAt: { after: view.usedFrom, before: view.usedUntil },
});

const nameOf = (row: SessionRowFragment) => row.user?.username ?? texts.sessions.unknownUser;

const columns: Column<SessionRowFragment>[] = [
  { name: texts.sessions.user, cell: row => <a href={`/console/sessions/${row.id}`}>{nameOf(row)}</a> },
  { name: texts.sessions.state, cell: row => (row.isCurrent ? <span class="badge">{texts.sessions.thisOne}</span> : <State state={row.state} reason={row.endReason} />) },
  { name: texts.sessions.device, cell: row => <span title={row.client.userAgent ?? undefined}>{row.name ?? device(row.client)}</span> },
  { name: texts.sessions.address, cell: row => row.client.lastIp ?? row.client.ip ?? texts.none },
  { name: texts.sessions.created, cell: row => <Time at={row.createdAt} /> },
  { name: texts.sessions.lastUsed, cell: row => <Time at={row.lastUsedAt} /> },
  { name: texts.sessions.expires, cell: row => <Time at={row.state === 'ENDED' ? null : row.expiresAt} /> },
  { name: texts.sessions.rotations, cell: row => row.generation.toLocaleString('en'), isNumber: true },
];

export function Sessions() {
  const { view, show, turn } = useView();
  const user = useUserFilter(view.user);
  const filter = filterOf(view, user.userId);
  const sessions = useQuery(SessionsDocument, user.isKnown ? { ...pageOf(view), filter } : undefined);
  const [chosen, choose] = useState(new Set<string>());
  const [dialog, setDialog] = useState<'selected' | 'matching'>();
  const close = () => setDialog(undefined);
  const done = () => choose(new Set());
  const asked = user.asked.error ? user.asked : sessions;
  const list = user.nobody ? { nodes: [] } : user.isKnown ? sessions.data?.sessions : undefined;
  return (
    <Page
      title={texts.sessions.title}
      actions={
        <>
          {chosen.size > 0 && (
            <button type="button" class="danger" onClick={() => setDialog('selected')}>
              {texts.sessions.endSelected(chosen.size)}
            </button>
          )}
          <button type="button" aria-disabled={!user.isKnown} onClick={() => user.isKnown && setDialog('matching')}>
            {texts.sessions.endMatching}
          </button>
        </>
      }
    >
      <Filters filters={filters} view={view} show={show} />
      <List
        caption={texts.sessions.caption}
        asked={asked}
        list={list}
        columns={columns}
        empty={user.nobody ?? texts.sessions.empty}
        selection={{ chosen, choose, can: row => row.state === 'ACTIVE' && !row.isCurrent, label: row => texts.sessions.of(nameOf(row)) }}
        turn={turn}
      />
      {dialog === 'selected' && <EndSelected ids={[...chosen]} done={done} onClose={close} />}
      {dialog === 'matching' && <EndMatching filter={filter} done={done} onClose={close} />}
    </Page>
  );
}
