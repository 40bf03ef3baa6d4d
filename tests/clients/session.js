// Keeps the tokens of one browser and refreshes them, one refresh at a time. All clients here use it.
const REFRESH = `mutation Refresh($input: RefreshInput!) {
  refresh(input: $input) { tokens { accessToken refreshToken } errors { code } }
}`;

// `storage` has the interface of localStorage; all tabs of a browser share it.
export function createSession(url, storage) {
  let refreshing;

  async function refresh() {
    const refreshToken = storage.getItem('refreshToken');
    if (!refreshToken) return false;
    // Saved before it is sent: with the same attemptId a repeated refresh gets the same tokens, however late.
    const attemptId = storage.getItem('attemptId') ?? crypto.randomUUID();
    storage.setItem('attemptId', attemptId);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: REFRESH, variables: { input: { refreshToken, attemptId } } }),
    });
    const { data } = await response.json();
    // No data: the service is unavailable. The tokens are still valid; try again later.
    if (!data) return false;
    storage.removeItem('attemptId');
    const code = data.refresh.errors[0]?.code;
    // Rate limit or overload: the tokens are still valid.
    if (code === 'RATE_LIMITED' || code === 'OVERLOADED') return false;
    if (data.refresh.tokens) save(data.refresh.tokens);
    // Another tab was faster: its tokens are in the storage.
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
    // Called when this access token was refused: refreshes, and returns whether to send the request again.
    renew(refused) {
      if (refused !== storage.getItem('accessToken')) return Promise.resolve(true);
      refreshing ??= refresh().finally(() => (refreshing = undefined));
      return refreshing;
    },
  };
}
