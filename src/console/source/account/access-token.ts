// Access token of the session of this browser, if there is one.
//
// The first proof of an address ends the sessions and removes the password of the account, because somebody
// else may have registered it. A session of the account shows that it was this browser.
import { alone, attemptId, forgetAttempt } from '../api/refresh-attempt';
import { Unreachable, send } from '../api/transport';
import { RefreshDocument } from './generated';

export const accessToken = (): Promise<string | undefined> => alone(() => refresh());

async function refresh(isFirst = true): Promise<string | undefined> {
  const { tokens, errors } = (await send(RefreshDocument, { attemptId: attemptId() })).refresh;
  const code = errors[0]?.code;
  // The session may be active: without its access token, the proof would end it.
  if (code === 'OVERLOADED' || code === 'RATE_LIMITED') throw new Unreachable(code);
  forgetAttempt();
  if (code !== 'REFRESH_TOKEN_STALE') return tokens?.accessToken;
  // Another page of this origin has just refreshed: the cookie has its refresh token.
  if (isFirst) return refresh(false);
  throw new Unreachable(code);
}
