// List of the audit events of the user's own account.
import { useState } from 'preact/hooks';

import { MyEventsDocument } from '../api/generated';
import type { EventFragment } from '../api/generated';
import { texts } from '../texts';
import { pageOf } from './address-state';
import type { View } from './address-state';
import { detailOf } from './event';
import { List } from './list';
import type { Column } from './list';
import { useQuery } from './query';
import { Time } from './time';

const FEW = 10;

const columns: Column<EventFragment>[] = [
  { name: texts.account.when, cell: event => <Time at={event.occurredAt} seconds /> },
  { name: texts.account.what, cell: event => texts.kind[event.kind] },
  { name: texts.account.detail, cell: event => detailOf(event) || texts.none },
  { name: texts.account.where, cell: event => event.ip ?? texts.none },
  { name: texts.account.client, cell: event => <span class="long" title={event.userAgent ?? undefined}>{event.userAgent ?? texts.none}</span> },
];

export function MyEvents() {
  const [view, turn] = useState<View>({});
  const asked = useQuery(MyEventsDocument, pageOf(view, FEW));
  const events = asked.data?.viewer?.auditEvents;
  return (
    <section aria-labelledby="events">
      <h2 id="events">{texts.account.events}</h2>
      <List caption={texts.account.eventsCaption} asked={asked} list={events} columns={columns} empty={texts.account.emptyEvents} turn={turn} />
    </section>
  );
}
