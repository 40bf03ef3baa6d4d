// Audit log page: the audit events with their user and their actor.
import { EventsDocument } from '../api/generated';
import type { AuditFilter, AuditKind, EventRowFragment } from '../api/generated';
import { pageOf, useView } from '../parts/address-state';
import type { View } from '../parts/address-state';
import { detailOf } from '../parts/event';
import { Filters } from '../parts/filters';
import type { Filter } from '../parts/filters';
import { List } from '../parts/list';
import type { Column } from '../parts/list';
import { Page } from '../parts/page';
import { useQuery } from '../parts/query';
import { Time } from '../parts/time';
import { useUserFilter } from '../parts/user-filter';
import { texts } from '../texts';

const filters: Filter[] = [
  { name: 'kind', label: texts.events.what, options: texts.kind },
  { name: 'user', label: texts.events.user },
  { name: 'from', label: `${texts.events.happened} ${texts.filters.after}`, isTime: true, isSeldom: true },
  { name: 'until', label: `${texts.events.happened} ${texts.filters.before}`, isTime: true, isSeldom: true },
];

const filterOf = (view: View, userId: string | undefined): AuditFilter => ({
  kinds: view.kind ? [view.kind as AuditKind] : undefined,
  userId,
  occurredAt: { after: view.from, before: view.until },
});

const columns: Column<EventRowFragment>[] = [
  { name: texts.events.when, cell: event => <Time at={event.occurredAt} seconds /> },
  { name: texts.events.what, cell: event => (event.session ? <a href={`/console/sessions/${event.session.id}`}>{texts.kind[event.kind]}</a> : texts.kind[event.kind]) },
  { name: texts.events.user, cell: ({ user }) => (user ? <a href={`/console/events?user=${encodeURIComponent(user.username)}`}>{user.username}</a> : texts.none) },
  { name: texts.events.by, cell: event => event.actor?.username ?? texts.none },
  { name: texts.events.detail, cell: event => detailOf(event) || texts.none },
  { name: texts.events.address, cell: event => event.ip ?? texts.none },
  { name: texts.events.client, cell: event => <span class="long" title={event.userAgent ?? undefined}>{event.userAgent ?? texts.none}</span> },
];

export function Events() {
  const { view, show, turn } = useView();
  const user = useUserFilter(view.user);
  const events = useQuery(EventsDocument, user.isKnown ? { ...pageOf(view), filter: filterOf(view, user.userId) } : undefined);
  const asked = user.asked.error ? user.asked : events;
  const list = user.nobody ? { nodes: [] } : user.isKnown ? events.data?.auditEvents : undefined;
  return (
    <Page title={texts.events.title}>
      <Filters filters={filters} view={view} show={show} />
      <List caption={texts.events.caption} asked={asked} list={list} columns={columns} empty={user.nobody ?? texts.events.empty} turn={turn} />
    </Page>
  );
}
