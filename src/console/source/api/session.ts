// Session of the logged-in user: login, logout and refresh. The access token is in memory only; the
// refresh token is in a cookie that scripts cannot read.
//
// Invariant: only an answer of the service logs the user out, never an unreachable service.
import { signal } from '@preact/signals';

import { LogInDocument, LogOutDocument, RefreshDocument } from './generated';
import type { EndReason, LogInMutationVariables, RefreshMutation } from './generated';
import { online } from './reachability';
import { alone, listen, tell } from './tab-channel';
import type { LoggedIn } from './tab-channel';
import { Refused, Unreachable, send } from './transport';
import type { Document, Problem } from './transport';

/** Why the session of this browser is over. */
export type OutReason = EndReason | 'EXPIRED' | 'ENDED';

export type State =
  | { at: 'starting' }
  | { at: 'unreachable' }
  | { at: 'out'; reason?: OutReason }
  | { at: 'in'; session: LoggedIn };

export const state = signal<State>({ at: 'starting' });

// Key of the attempt ID of a refresh that has no answer yet. With the same attempt ID the refresh can be
// retried, also after a crash. The ID is not a credential.
const ATTEMPT = 'sallyport-attempt';

export const current = () => (state.value.at === 'in' ? state.value.session : undefined);

const enter = (session: LoggedIn) => (state.value = { at: 'in', session });

/** Shows the login form. A later, specific reason replaces the unspecific `ENDED`. */
export function leave(reason?: OutReason) {
  const { value } = state;
  if (value.at === 'out' && value.reason !== 'ENDED') return;
  state.value = { at: 'out', reason };
}

listen(note => {
  if (note.kind === 'in') enter(note.session);
  else if (current()?.sessionId === note.sessionId) leave(note.reason);
});

/** Restores the session from the refresh cookie, if there is one. */
export async function start() {
  try {
    await refresh();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (!current()) state.value = { at: 'unreachable' };
  }
}

export async function logIn(who: LogInMutationVariables): Promise<Problem[]> {
  const { login } = await noticing(send(LogInDocument, who));
  take(login);
  return login.errors;
}

export async function logOut() {
  const session = current();
  if (!session) return;
  await noticing(send(LogOutDocument, {}, session.token));
  tell({ kind: 'out', sessionId: session.sessionId, reason: 'LOGOUT' });
  leave('LOGOUT');
}

/** Sends an operation with the access token; refreshes and retries once if the token is refused. */
export async function ask<Data, Variables>(document: Document<Data, Variables>, variables: Variables): Promise<Data> {
  try {
    return await noticing(send(document, variables, current()?.token));
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'UNAUTHENTICATED')) throw error;
    await refresh();
    const session = current();
    if (!session) throw error;
    return noticing(send(document, variables, session.token));
  }
}

let refreshing: Promise<void> | undefined;

/** Refreshes the access token. Concurrent calls share one refresh, and only one tab refreshes at a time. */
export function refresh(): Promise<void> {
  const before = current()?.token;
  refreshing ??= alone(async () => {
    // Another tab may have refreshed meanwhile.
    if (current()?.token === before) await noticing(attempt());
  }).finally(() => (refreshing = undefined));
  return refreshing;
}

async function attempt() {
  const attemptId = localStorage.getItem(ATTEMPT) ?? crypto.randomUUID();
  localStorage.setItem(ATTEMPT, attemptId);
  const { refresh } = await send(RefreshDocument, { attemptId });
  const code = refresh.errors[0]?.code;
  if (code === 'OVERLOADED' || code === 'RATE_LIMITED') throw new Unreachable(code);
  localStorage.removeItem(ATTEMPT);
  // Another page of this origin has just refreshed and set the cookie: the next attempt uses that cookie.
  if (code === 'REFRESH_TOKEN_STALE') throw new Unreachable(code);
  if (!take(refresh)) leave(ending(code));
}

function ending(code: Problem['code'] | undefined): OutReason | undefined {
  if (code === 'REFRESH_TOKEN_REUSED') return 'REFRESH_REUSED';
  if (code === 'SESSION_ENDED') return 'ENDED';
  return current() ? 'EXPIRED' : undefined;
}

function take({ tokens, session, user }: Omit<RefreshMutation['refresh'], 'errors'>): boolean {
  if (!tokens || !session || !user) return false;
  const loggedIn = { token: tokens.accessToken, sessionId: session.id, user };
  enter(loggedIn);
  tell({ kind: 'in', session: loggedIn });
  return true;
}

async function noticing<T>(answer: Promise<T>): Promise<T> {
  try {
    const data = await answer;
    online.value = true;
    return data;
  } catch (error) {
    online.value = !(error instanceof Unreachable);
    throw error;
  }
}
