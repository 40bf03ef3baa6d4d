// Event counts of the last hour, in intervals of two minutes.
//
// An interval is counted again until it is over and 30 seconds have passed, so that events written late
// are included. After that its counts are cached: an open page costs one small request every few seconds,
// regardless of the load.
import { useRef, useState } from 'preact/hooks';

import { ActivityDocument } from '../api/generated';
import type { ActivityQuery } from '../api/generated';
import { ask } from '../api/session';
import { useEvery } from './poll';

export type Counted = keyof ActivityQuery;

export interface Stretch {
  /** Start of the interval. */
  from: number;
  /** Undefined until the first request. */
  counts?: Record<Counted, number>;
}

/** Limit of the service's counts. */
export const MOST = 10_000;

const LENGTH = 120_000;
const STRETCHES = 30;
const SETTLES = 30_000;

interface Known extends Stretch {
  /** Time of the request. */
  at: number;
}

export function useActivity(): { stretches: Stretch[]; error?: Error } {
  const [stretches, setStretches] = useState<Stretch[]>(() => starts().map(from => ({ from })));
  const [error, setError] = useState<Error>();
  const { current: known } = useRef(new Map<number, Known>());
  useEvery(async isWanted => {
    const all = starts();
    try {
      // Newest first. The newest interval has no end, so that a slow local clock misses no events.
      for (const [age, from] of all.toReversed().entries()) {
        const before = known.get(from);
        if (before && before.at >= from + LENGTH + SETTLES) continue;
        const at = Date.now();
        const counts = await countFrom(from, age === 0 ? undefined : from + LENGTH);
        if (!isWanted()) return;
        known.set(from, { from, counts, at });
        setStretches(all.map(start => known.get(start) ?? { from: start }));
      }
      setError(undefined);
    } catch (error) {
      setError(error as Error);
    }
    for (const from of known.keys()) if (from < all[0]!) known.delete(from);
  });
  return { stretches, error };
}

/** Start of each interval of the last hour; the last interval is still running. */
function starts(): number[] {
  const last = Math.floor(Date.now() / LENGTH) * LENGTH;
  return Array.from({ length: STRETCHES }, (_, number) => last - (STRETCHES - 1 - number) * LENGTH);
}

async function countFrom(from: number, until: number | undefined): Promise<Record<Counted, number>> {
  const moment = (at: number) => new Date(at).toISOString();
  const found = await ask(ActivityDocument, { from: moment(from), until: until === undefined ? undefined : moment(until) });
  return Object.fromEntries(Object.entries(found).map(([name, list]) => [name, list?.totalCount ?? MOST])) as Record<Counted, number>;
}
