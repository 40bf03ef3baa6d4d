// The session of a browser whose refresh token is in a cookie. The access token is in this memory only;
// tabs refresh one at a time, and hand each other what they got.
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
    // Saved before it is sent: with the same one a lost answer can be asked for again, however late.
    const attemptId = localStorage.getItem('attemptId') ?? crypto.randomUUID();
    localStorage.setItem('attemptId', attemptId);
    const response = await fetch(url, {
      method: 'POST',
      credentials: 'include',
      headers: { 'content-type': 'application/json', 'x-sallyport-csrf': '1' },
      body: JSON.stringify({ query: REFRESH, variables: { input: { attemptId } } }),
    });
    const { data } = await response.json();
    // No data: the service is away. The cookie is as good as before; try again later.
    if (!data) return false;
    localStorage.removeItem('attemptId');
    const { tokens, errors } = data.refresh;
    const code = errors[0]?.code;
    // Another page was faster: the cookie is the one that it got.
    if (code === 'REFRESH_TOKEN_STALE' && isFirst) return refresh(false);
    // Too many, or too much to do: nobody is logged out by that.
    if (['REFRESH_TOKEN_STALE', 'RATE_LIMITED', 'OVERLOADED'].includes(code)) return false;
    save(tokens);
    return Boolean(tokens);
  }

  return {
    // After a login with `transport: COOKIE`; with null after a logout.
    save,
    accessToken: () => accessToken,
    // Whether it is worth trying again, now that this access token was refused, or there is none yet.
    renew(refused = null) {
      const renewed = () => (accessToken !== refused ? true : refresh());
      refreshing ??= navigator.locks.request('session', renewed).finally(() => (refreshing = undefined));
      return refreshing;
    },
  };
}
