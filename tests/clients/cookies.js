// Session of a browser whose refresh token is in a cookie. The access token is in memory only. The tabs
// refresh one at a time and send each other the new access token.
const REFRESH = `mutation Refresh($input: RefreshInput!) {
  refresh(input: $input) { tokens { accessToken } errors { code } }
}`;

export function createCookieSession(url) {
  const tabs = new BroadcastChannel('session');
  let accessToken = null;
  let refreshing;
  tabs.onmessage = ({ data }) => (accessToken = data);

  function save(tokens) {
    accessToken = tokens?.accessToken ?? null;
    tabs.postMessage(accessToken);
  }

  async function refresh(isFirst = true) {
    // Saved before it is sent: with the same attemptId a repeated refresh gets the same tokens, however late.
    const attemptId = localStorage.getItem('attemptId') ?? crypto.randomUUID();
    localStorage.setItem('attemptId', attemptId);
    const response = await fetch(url, {
      method: 'POST',
      credentials: 'include',
      headers: { 'content-type': 'application/json', 'x-sallyport-csrf': '1' },
      body: JSON.stringify({ query: REFRESH, variables: { input: { attemptId } } }),
    });
    const { data } = await response.json();
    // No data: the service is unavailable. The cookie is still valid; try again later.
    if (!data) return false;
    localStorage.removeItem('attemptId');
    const { tokens, errors } = data.refresh;
    const code = errors[0]?.code;
    // Another page was faster: the cookie has its refresh token. Refresh again.
    if (code === 'REFRESH_TOKEN_STALE' && isFirst) return refresh(false);
    // Rate limit or overload: the session is still valid.
    if (['REFRESH_TOKEN_STALE', 'RATE_LIMITED', 'OVERLOADED'].includes(code)) return false;
    save(tokens);
    return Boolean(tokens);
  }

  return {
    // Call it after a login with `transport: COOKIE`, and with null after a logout.
    save,
    accessToken: () => accessToken,
    // Called when this access token was refused, or there is none yet: refreshes, and returns whether to
    // send the request again.
    renew(refused = null) {
      const renewed = () => (accessToken !== refused ? true : refresh());
      refreshing ??= navigator.locks.request('session', renewed).finally(() => (refreshing = undefined));
      return refreshing;
    },
  };
}
