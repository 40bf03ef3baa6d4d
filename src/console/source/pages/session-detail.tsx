// Detail page of one session: its current state and its timeline since login.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { SessionStandDocument, SessionStoryDocument } from '../api/generated';
import type { AuditKind, SessionStandQuery } from '../api/generated';
import { ask, current } from '../api/session';
import { methodsOf } from '../parts/assurance';
import { EndOne } from '../parts/end-sessions';
import { detailOf } from '../parts/event';
import { Failure, reason } from '../parts/failure';
import { Facts } from '../parts/name-value-list';
import { Page } from '../parts/page';
import { useEvery } from '../parts/poll';
import { reload, useQuery } from '../parts/query';
import { State, device } from '../parts/session-badge';
import { chapters, listsOf } from '../parts/session-timeline';
import type { Chapter, Lists, Told } from '../parts/session-timeline';
import { Time } from '../parts/time';
import { texts } from '../texts';

export function SessionStory({ params }: { params: Record<string, string> }) {
  const id = params.id!;
  const asked = useQuery(SessionStoryDocument, { id });
  const [isEnding, setEnding] = useState(false);
  const node = asked.data?.node;
  const session = node?.__typename === 'Session' && node.id === id ? node : undefined;
  useEvery(async () => {
    const told = await ask(SessionStandDocument, { id }).catch(() => undefined);
    if (told && session && hasChanged(session, told.node)) reload();
  }, session?.state === 'ACTIVE');
  const isAdmin = current()?.user.role === 'ADMIN';
  const title = session?.user ? texts.story.of(session.user.username) : texts.story.title;
  return (
    <Page
      title={title}
      back={<a href={isAdmin ? '/console/sessions' : '/console/account'}>{isAdmin ? texts.story.back : texts.story.backOwn}</a>}
      actions={
        session?.state === 'ACTIVE' && (
          <button type="button" class="danger" onClick={() => setEnding(true)}>
            {texts.story.endThis}
          </button>
        )
      }
    >
      {asked.error && <Failure error={asked.error} />}
      {!asked.error && !session && (
        <div class="state" role="status">
          <p>{asked.loading ? texts.loading : texts.story.missing}</p>
        </div>
      )}
      {session && (
        <div class="columns">
          <section aria-labelledby="history">
            <h2 id="history">{texts.story.history}</h2>
            <History session={session} key={`${session.id} ${session.state} ${session.generation}`} />
          </section>
          <section aria-labelledby="facts">
            <h2 id="facts">{texts.story.facts}</h2>
            <Now session={session} isAdmin={isAdmin} />
          </section>
        </div>
      )}
      {session && isEnding && <EndOne id={id} sure={session.isCurrent ? texts.account.endOwn : texts.end.sure(1)} onClose={() => setEnding(false)} />}
    </Page>
  );
}

/** Whether the session has changed since it was loaded. */
function hasChanged(session: Told, node: SessionStandQuery['node']): boolean {
  return node?.__typename !== 'Session' || node.state !== session.state || node.generation !== session.generation || node.lastUsedAt !== session.lastUsedAt;
}

function Now({ session, isAdmin }: { session: Told; isAdmin: boolean }) {
  const { client, user } = session;
  return (
    <Facts
      facts={{
        [texts.sessions.state]: <State state={session.state} reason={session.endReason} />,
        [texts.story.user]: user && isAdmin ? <a href={`/console/sessions?user=${encodeURIComponent(user.username)}`}>{user.username}</a> : user?.username,
        [texts.story.name]: session.name,
        [texts.story.client]: device(client),
        [texts.story.assurance]: texts.assurance[session.assurance],
        [texts.story.methods]: methodsOf(session),
        [texts.story.loggedInFrom]: client.ip,
        [texts.story.lastSeenAt]: client.lastIp,
        [texts.sessions.created]: <Time at={session.createdAt} />,
        [texts.sessions.lastUsed]: <Time at={session.lastUsedAt} />,
        [texts.sessions.expires]: session.state === 'ENDED' ? undefined : <Time at={session.expiresAt} />,
        [texts.story.ended]: session.endedAt ? <Time at={session.endedAt} /> : undefined,
        [texts.story.endedBy]: session.endedBy?.username,
        [texts.sessions.rotations]: session.generation.toLocaleString('en'),
        [texts.story.sid]: <code>{session.sid}</code>,
        [texts.story.tokenId]: <code>{session.tokenId}</code>,
        [texts.story.userAgent]: client.userAgent,
      }}
    />
  );
}

function History({ session }: { session: Told }) {
  const [lists, setLists] = useState<Lists>(listsOf(session));
  const [problem, setProblem] = useState('');
  useEffect(() => setLists(listsOf(session)), [session]);
  const { eventsAfter, entriesAfter } = lists;
  const earlier = async () => {
    setProblem('');
    try {
      const { node } = await ask(SessionStoryDocument, { id: session.id, eventsAfter, entriesAfter });
      if (node?.__typename !== 'Session') return;
      const more = listsOf(node);
      setLists({
        events: eventsAfter ? [...lists.events, ...more.events] : lists.events,
        entries: entriesAfter ? [...lists.entries, ...more.entries] : lists.entries,
        eventsAfter: eventsAfter && more.eventsAfter,
        entriesAfter: entriesAfter && more.entriesAfter,
      });
    } catch (error) {
      setProblem(reason(error as Error));
    }
  };
  return (
    <>
      {(eventsAfter || entriesAfter) && (
        <button type="button" onClick={earlier}>
          {texts.story.earlier}
        </button>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <ol class="story">
        {chapters(session, lists).map(chapter => (
          <Step chapter={chapter} usual={session.client.userAgent} key={keyOf(chapter)} />
        ))}
      </ol>
    </>
  );
}

const keyOf = (chapter: Chapter) => (chapter.kind === 'event' ? chapter.event.id : chapter.kind === 'rotated' ? chapter.entry.id : chapter.kind);

/** `usual` is the user agent of the login; it is shown only where it differs. */
function Step({ chapter, usual }: { chapter: Chapter; usual: string | null }) {
  const unusual = (from: { ip: string | null; userAgent: string | null }) => ({ ip: from.ip, userAgent: from.userAgent === usual ? null : from.userAgent });
  switch (chapter.kind) {
    case 'rotated': {
      const { entry } = chapter;
      return (
        <Line at={chapter.at} tone="rotated" title={texts.story.rotated} from={unusual(entry)}>
          <p class="hint">
            {texts.story.rotatedMore} <code>{entry.tokenId}</code>
          </p>
        </Line>
      );
    }
    case 'expired':
      return (
        <Line at={chapter.at} tone="ended" title={texts.story.expired}>
          <p class="hint">{texts.story.expiredMore}</p>
        </Line>
      );
    case 'event': {
      const { event } = chapter;
      const more = { REFRESH_RETRIED: texts.story.retriedMore, REFRESH_REUSED: texts.story.reusedMore }[event.kind as string] ?? detailOf(event);
      return (
        <Line at={chapter.at} tone={TONES[event.kind]} title={texts.kind[event.kind]} from={unusual(event)} by={event.actor?.username}>
          {more && <p class="hint">{more}</p>}
        </Line>
      );
    }
  }
}

const TONES: Partial<Record<AuditKind, string>> = {
  LOGIN_SUCCEEDED: 'begun',
  REGISTERED: 'begun',
  TOKEN_EXCHANGED: 'begun',
  REFRESH_REUSED: 'alarm',
  LOGIN_FAILED: 'alarm',
  RATE_LIMITED: 'alarm',
  SESSION_ENDED: 'ended',
};

interface LineProps {
  at: string;
  tone?: string;
  title: string;
  from?: { ip: string | null; userAgent: string | null };
  by?: string;
  children?: ComponentChildren;
}

function Line({ at, tone, title, from, by, children }: LineProps) {
  return (
    <li class={tone}>
      <p>
        <strong>{title}</strong> <Time at={at} seconds />
      </p>
      {children}
      {(from?.ip || from?.userAgent || by) && (
        <p class="hint">
          {by && (
            <span>
              {texts.story.by} {by}
            </span>
          )}
          {from?.ip && (
            <span>
              {texts.story.from} {from.ip}
            </span>
          )}
          {from?.userAgent && <span title={from.userAgent}>{from.userAgent}</span>}
        </p>
      )}
    </li>
  );
}
