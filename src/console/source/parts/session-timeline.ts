// Timeline of a session: its audit events and token rotations merged in one order, the oldest first.
//
// Both lists are loaded a page at a time, the newest first. The timeline starts where both lists are
// loaded, so that it has no gaps.
import type { SessionStoryQuery } from '../api/generated';

export type Told = Extract<NonNullable<SessionStoryQuery['node']>, { __typename: 'Session' }>;
type Event = NonNullable<Told['user']>['auditEvents']['nodes'][number];
type Entry = Told['blacklistEntries']['nodes'][number];

export type Chapter = { at: string } & ({ kind: 'event'; event: Event } | { kind: 'rotated'; entry: Entry } | { kind: 'expired' });

/** The loaded part of both lists. */
export interface Lists {
  events: Event[];
  entries: Entry[];
  /** Cursor of the next page, if there is one. */
  eventsAfter?: string;
  entriesAfter?: string;
}

export function listsOf({ user, blacklistEntries }: Told): Lists {
  const events = user?.auditEvents;
  const next = (page?: { hasNextPage: boolean; endCursor: string | null }) => (page?.hasNextPage ? (page.endCursor ?? undefined) : undefined);
  return {
    events: events?.nodes ?? [],
    entries: blacklistEntries.nodes,
    eventsAfter: next(events?.pageInfo),
    entriesAfter: next(blacklistEntries.pageInfo),
  };
}

export function chapters(session: Pick<Told, 'state' | 'expiresAt'>, { events, entries, eventsAfter, entriesAfter }: Lists): Chapter[] {
  const all: Chapter[] = [
    ...events.map(event => ({ at: event.occurredAt, kind: 'event' as const, event })),
    // Entries of the session's end are shown by its event.
    ...entries.filter(({ reason }) => reason === 'ROTATED').map(entry => ({ at: entry.blacklistedAt, kind: 'rotated' as const, entry })),
  ];
  if (session.state === 'EXPIRED') all.push({ at: session.expiresAt, kind: 'expired' });
  const oldest = [eventsAfter ? events.at(-1)?.occurredAt : undefined, entriesAfter ? entries.at(-1)?.blacklistedAt : undefined];
  const from = Math.max(...oldest.map(at => (at ? Date.parse(at) : -Infinity)));
  return all.filter(({ at }) => Date.parse(at) >= from).sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
