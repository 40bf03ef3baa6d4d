// Session of the logged-in user: login, logout, refresh and reauthentication. The access token is in memory
// only; the refresh token and the token of a login that waits for its next step are in cookies that scripts
// cannot read.
//
// Invariant: only an answer of the service logs the user out, never an unreachable service.
import { signal } from '@preact/signals';

import { BeginTotpDocument, ConfirmTotpDocument, ContinueLoginDocument, LogInDocument, LogOutDocument, ReauthenticateDocument, RefreshDocument, RequestEmailLoginDocument } from './generated';
import type {
  Assurance,
  BeginTotpMutation,
  ChallengeFragment,
  ConfirmTotpMutation,
  ConfirmTotpMutationVariables,
  ContinueLoginMutationVariables,
  EndReason,
  LogInMutationVariables,
  ReauthenticateMutationVariables,
  RefreshMutation,
  WhoFragment,
} from './generated';
import { online } from './reachability';
import { proofWanted } from './reauthentication';
import { alone, attemptId, forgetAttempt } from './refresh-attempt';
import { listen, tell } from './tab-channel';
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

/** Answer to a step of a login. */
export interface StepAnswer {
  problems: Problem[];
  /** The next step, if there is one. */
  challenge: ChallengeFragment | null;
}

export async function logIn(who: LogInMutationVariables): Promise<StepAnswer> {
  const { login } = await noticing(send(LogInDocument, who));
  take(login);
  return { problems: login.errors, challenge: login.challenge };
}

/** Requests an e-mail with a code that logs in. */
export async function requestEmailLogin(username: string): Promise<StepAnswer> {
  const { requestEmailLogin } = await noticing(send(RequestEmailLoginDocument, { username }));
  return { problems: requestEmailLogin.errors, challenge: requestEmailLogin.challenge };
}

export async function continueLogin(step: ContinueLoginMutationVariables): Promise<StepAnswer> {
  const { continueLogin } = await noticing(send(ContinueLoginDocument, step));
  take(continueLogin);
  return { problems: continueLogin.errors, challenge: continueLogin.challenge };
}

/** Begins to add an authenticator app in a login that requires one. */
export async function beginAppInLogin(challengeToken: string | null): Promise<BeginTotpMutation['beginTotp']> {
  return (await noticing(send(BeginTotpDocument, { challengeToken }))).beginTotp;
}

/** Adds the authenticator app, which completes the login. `take` enters its session. */
export async function addAppInLogin(first: ConfirmTotpMutationVariables): Promise<ConfirmTotpMutation['confirmTotp']> {
  return (await noticing(send(ConfirmTotpDocument, first))).confirmTotp;
}

export async function logOut() {
  const session = current();
  if (!session) return;
  await noticing(send(LogOutDocument, {}, session.token));
  ended(session, 'LOGOUT');
}

/** Shows the login form in all tabs of the session. */
export function ended({ sessionId }: LoggedIn, reason: EndReason) {
  tell({ kind: 'out', sessionId, reason });
  leave(reason);
}

/** Replaces the logged-in user after a change of the account, in all tabs. */
export function replaceUser(user: WhoFragment) {
  const session = current();
  if (session) use({ ...session, user });
}

/** Proves again that the user is at the keyboard. The new access token replaces the old one in all tabs. */
export async function reauthenticate(proof: ReauthenticateMutationVariables): Promise<Problem[]> {
  const { reauthenticate } = await ask(ReauthenticateDocument, proof);
  const session = current();
  if (session && reauthenticate?.tokens) use({ ...session, token: reauthenticate.tokens.accessToken });
  return reauthenticate?.errors ?? [];
}

/**
 * Sends an operation with the access token, and once more after each remedy: a refresh where the token is
 * refused, a reauthentication where the last one is too long ago or had too few factors.
 */
export async function ask<Data, Variables>(document: Document<Data, Variables>, variables: Variables): Promise<Data> {
  const tried = new Set<string>();
  for (;;) {
    try {
      return await noticing(send(document, variables, current()?.token));
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'UNAUTHENTICATED')) throw error;
      const isProof = error.reason === 'REAUTHENTICATION_REQUIRED';
      const remedy = isProof ? `proof ${error.assurance}` : 'refresh';
      if (tried.has(remedy)) throw error;
      tried.add(remedy);
      await (isProof ? proofWanted(error.assurance as Assurance | undefined) : refresh());
      if (!current()) throw error;
    }
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
  const { refresh } = await send(RefreshDocument, { attemptId: attemptId() });
  const code = refresh.errors[0]?.code;
  if (code === 'OVERLOADED' || code === 'RATE_LIMITED') throw new Unreachable(code);
  forgetAttempt();
  // Another page of this origin has just refreshed and set the cookie: the next attempt uses that cookie.
  if (code === 'REFRESH_TOKEN_STALE') throw new Unreachable(code);
  if (!take(refresh)) leave(ending(code));
}

function ending(code: Problem['code'] | undefined): OutReason | undefined {
  if (code === 'REFRESH_TOKEN_REUSED') return 'REFRESH_REUSED';
  if (code === 'SESSION_ENDED') return 'ENDED';
  return current() ? 'EXPIRED' : undefined;
}

/** Enters the session of an answer, if it has one. */
export function take({ tokens, session, user }: Omit<RefreshMutation['refresh'], 'errors'>): boolean {
  if (!tokens || !session || !user) return false;
  use({ token: tokens.accessToken, sessionId: session.id, user });
  return true;
}

/** Enters a session, in the other tabs as well. */
function use(session: LoggedIn) {
  enter(session);
  tell({ kind: 'in', session });
}

/** Notes whether the service answered. */
export async function noticing<T>(answer: Promise<T>): Promise<T> {
  try {
    const data = await answer;
    online.value = true;
    return data;
  } catch (error) {
    online.value = !(error instanceof Unreachable);
    throw error;
  }
}
