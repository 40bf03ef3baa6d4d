// Move page: the state of the move from each other system, refreshed while the page is visible.
import { useId, useState } from 'preact/hooks';

import { MoveDocument } from '../api/generated';
import type { MoveQuery } from '../api/generated';
import { ask } from '../api/session';
import { Failure } from '../parts/failure';
import { InlineCode } from '../parts/inline-code';
import { Facts } from '../parts/name-value-list';
import { Page } from '../parts/page';
import { useEvery } from '../parts/poll';
import { Time } from '../parts/time';
import { texts } from '../texts';

type Status = NonNullable<MoveQuery['importStatus']>[number];

const { move: words } = texts;

/** The service counts all imported accounts, which may be a million. */
const PAUSE = 10_000;

export function Move() {
  const [sources, setSources] = useState<Status[]>();
  const [error, setError] = useState<Error>();
  const count = async (isWanted: () => boolean) => {
    try {
      const { importStatus } = await ask(MoveDocument, {});
      if (!isWanted()) return;
      setSources(importStatus ?? []);
      setError(undefined);
    } catch (error) {
      setError(error as Error);
    }
  };
  useEvery(count, true, PAUSE);
  return (
    <Page title={words.title}>
      {error && !sources && <Failure error={error} />}
      {!error && !sources && (
        <div class="state" role="status">
          <p>{texts.loading}</p>
        </div>
      )}
      {sources && <p class="hint">{error ? texts.now.old : words.how}</p>}
      {sources?.length === 0 && (
        <div class="state" role="status">
          <h2>{words.emptyTitle}</h2>
          <p>
            <InlineCode text={words.empty} />
          </p>
        </div>
      )}
      {sources?.map(status => (
        <Source status={status} key={status.source} />
      ))}
    </Page>
  );
}

function Source({ status }: { status: Status }) {
  const { source, users, legacyPasswords, exchangedTokens, lastExchangeAt, lastTokenExpiresAt } = status;
  const title = useId();
  return (
    <section class="band" aria-labelledby={title}>
      <h2 id={title}>{source}</h2>
      <Facts
        facts={{
          [words.users]: users.toLocaleString('en'),
          [words.exchanged]: exchangedTokens.toLocaleString('en'),
          [words.lastExchange]: lastExchangeAt ? <Time at={lastExchangeAt} /> : words.never,
          [words.lastExpires]: lastTokenExpiresAt ? <Time at={lastTokenExpiresAt} /> : words.noToken,
        }}
      />
      {users > 0 && <Passwords source={source} users={users} legacy={legacyPasswords} />}
      {!lastTokenExpiresAt && (
        <p>
          <InlineCode text={words.noTokenMore} />
        </p>
      )}
    </section>
  );
}

/** Bar of the accounts by the kind of their password, with the figures as its legend. */
function Passwords({ source, users, legacy }: { source: string; users: number; legacy: number }) {
  const percent = percentOf(legacy, users);
  const parts = [
    { text: words.replaced, sum: words.part(users - legacy, 100 - percent) },
    { text: words.legacy, sum: words.part(legacy, percent) },
  ];
  return (
    <figure class="share">
      <figcaption>
        <ul>
          {parts.map(({ text, sum }) => (
            <li key={text}>
              {text} <strong>{sum}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" role="img" aria-label={words.told(source, parts)}>
        <rect width={1 - legacy / users} height={1} />
        <rect x={1 - legacy / users} width={legacy / users} height={1} />
      </svg>
    </figure>
  );
}

/** Rounded, but 0 and 100 mean none and all. */
function percentOf(part: number, whole: number): number {
  if (part === 0 || part === whole) return (part / whole) * 100;
  return Math.min(Math.max(Math.round((part / whole) * 100), 1), 99);
}
