// Blacklist page: the revoked refresh tokens with the reason of each, and the token check.
import { BlacklistDocument } from '../api/generated';
import type { BlacklistFilter, BlacklistReason, BlacklistRowFragment } from '../api/generated';
import { pageOf, useView } from '../parts/address-state';
import type { View } from '../parts/address-state';
import { Filters } from '../parts/filters';
import type { Filter } from '../parts/filters';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { device } from '../parts/session-badge';
import { Time } from '../parts/time';
import { WhyRefused, entryAddress } from '../parts/token-check';
import { useUserFilter } from '../parts/user-filter';
import { texts } from '../texts';

const filters: Filter[] = [
  { name: 'reason', label: texts.blacklist.reason, options: texts.reason },
  { name: 'user', label: texts.blacklist.user },
  { name: 'jti', label: texts.blacklist.tokenId },
  { name: 'sid', label: texts.blacklist.sid, isSeldom: true },
  { name: 'from', label: `${texts.blacklist.at} ${texts.filters.after}`, isTime: true, isSeldom: true },
  { name: 'until', label: `${texts.blacklist.at} ${texts.filters.before}`, isTime: true, isSeldom: true },
];

const filterOf = (view: View, userId: string | undefined): BlacklistFilter => ({
  reasons: view.reason ? [view.reason as BlacklistReason] : undefined,
  userId,
  // IDs are lower case; copied IDs may not be.
  tokenId: view.jti?.toLowerCase(),
  sessionId: view.sid && `Session:${view.sid.toLowerCase()}`,
  blacklistedAt: { after: view.from, before: view.until },
});

/** The end of a UUIDv7 is random; its beginning is a time. */
const short = (id: string) => `…${id.slice(-12)}`;

const columns: Column<BlacklistRowFragment>[] = [
  {
    name: texts.blacklist.tokenId,
    cell: row => (
      <a href={entryAddress(row.tokenId)} title={row.tokenId}>
        <code>{short(row.tokenId)}</code>
      </a>
    ),
  },
  { name: texts.blacklist.user, cell: ({ user }) => (user ? <a href={`/console/blacklist?user=${encodeURIComponent(user.username)}`}>{user.username}</a> : texts.sessions.unknownUser) },
  { name: texts.blacklist.reason, cell: row => texts.reason[row.reason] },
  {
    name: texts.blacklist.session,
    cell: ({ session }) => (session ? <a href={`/console/sessions/${session.id}`}>{session.name ?? device(session.client)}</a> : texts.blacklist.forgotten),
  },
  { name: texts.blacklist.at, cell: row => <Time at={row.blacklistedAt} seconds /> },
  { name: texts.blacklist.actor, cell: row => row.actor?.username ?? texts.none },
  { name: texts.blacklist.address, cell: row => <span title={row.userAgent ?? undefined}>{row.ip ?? texts.none}</span> },
  { name: texts.blacklist.expires, cell: row => <Time at={row.expiresAt} /> },
];

export function Blacklist() {
  const { view, show, turn } = useView();
  const user = useUserFilter(view.user);
  const entries = useQuery(BlacklistDocument, user.isKnown ? { ...pageOf(view), filter: filterOf(view, user.userId) } : undefined);
  const asked = user.asked.error ? user.asked : entries;
  const list = user.nobody ? { nodes: [] } : user.isKnown ? entries.data?.blacklistEntries : undefined;
  return (
    <Page title={texts.blacklist.title}>
      <WhyRefused />
      <Filters filters={filters} view={view} show={show} />
      <List caption={texts.blacklist.caption} asked={asked} list={list} columns={columns} empty={user.nobody ?? texts.blacklist.empty} turn={turn} />
    </Page>
  );
}
