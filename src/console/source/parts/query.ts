// Query hook: loads data when a page opens and when the variables change. The previous data is kept
// while new data loads, so that the layout does not shift.
import { effect, signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';

import { online } from '../api/reachability';
import { ask } from '../api/session';
import type { Document } from '../api/transport';

const round = signal(0);

/** Reloads all queries on the screen, after a mutation or an outage. */
export const reload = () => void (round.value = round.peek() + 1);

// Reloads after an outage.
let wasAway = false;
effect(() => {
  if (online.value && wasAway) reload();
  wasAway = !online.value;
});

interface Answer<Data> {
  /** Key of the variables that this is the answer to. */
  key?: string;
  data?: Data;
  error?: Error;
}

export interface Asked<Data> extends Omit<Answer<Data>, 'key'> {
  /** Whether `data` and `error` belong to earlier variables. */
  loading: boolean;
}

/** Sends no request while `variables` is undefined. */
export function useQuery<Data, Variables>(document: Document<Data, Variables>, variables: Variables | undefined): Asked<Data> {
  const key = `${round.value} ${JSON.stringify(variables)}`;
  const [answer, setAnswer] = useState<Answer<Data>>({});
  useEffect(() => {
    if (variables === undefined) return;
    let isWanted = true;
    ask(document, variables).then(
      data => isWanted && setAnswer({ key, data }),
      error => isWanted && setAnswer(({ data }) => ({ key, data, error })),
    );
    return () => void (isWanted = false);
  }, [document, key]);
  return { data: answer.data, error: answer.error, loading: variables !== undefined && answer.key !== key };
}
