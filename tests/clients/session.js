// The tokens of one browser, and the one refresh at a time that renews them. Every client here uses
// it; what is particular to a client stands in its own file.
const REFRESH = `mutation Refresh($input: RefreshInput!) {
  refresh(input: $input) { tokens { accessToken refreshToken } errors { code } }
}`;

// `storage` has the interface of localStorage; all tabs of a browser share it.
export function createSession(url, storage) {
  let refreshing;

  async function refresh() {
    const refreshToken = storage.getItem('refreshToken');
    if (!refreshToken) return false;
    // Saved before it is sent: with the same one a lost answer can be asked for again, however late.
    const attemptId = storage.getItem('attemptId') ?? crypto.randomUUID();
    storage.setItem('attemptId', attemptId);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: REFRESH, variables: { input: { refreshToken, attemptId } } }),
    });
    const { data } = await response.json();
    // No data: the service is away. The tokens are as good as before; try again later.
    if (!data) return false;
    storage.removeItem('attemptId');
    const code = data.refresh.errors[0]?.code;
    // Too many, or too much to do: the tokens are as good as before.
    if (code === 'RATE_LIMITED' || code === 'OVERLOADED') return false;
    if (data.refresh.tokens) save(data.refresh.tokens);
    // Another tab was faster: what it got is in the storage.
    else if (code !== 'REFRESH_TOKEN_STALE') clear();
    return Boolean(storage.getItem('refreshToken'));
  }

  function save({ accessToken, refreshToken }) {
    storage.setItem('accessToken', accessToken);
    storage.setItem('refreshToken', refreshToken);
  }

  function clear() {
    for (const key of ['accessToken', 'refreshToken', 'attemptId']) storage.removeItem(key);
  }

  return {
    save,
    clear,
    accessToken: () => storage.getItem('accessToken'),
    // Whether it is worth trying again, now that this access token was refused.
    renew(refused) {
      if (refused !== storage.getItem('accessToken')) return Promise.resolve(true);
      refreshing ??= refresh().finally(() => (refreshing = undefined));
      return refreshing;
    },
  };
}
