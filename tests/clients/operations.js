// The operations that every client is tried with.
export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(input: { username: $username, password: $password }) {
    tokens { accessToken refreshToken } session { id } user { id username } errors { code message }
  }
}`;
export const VIEWER = 'query Viewer { viewer { id username } }';
export const SESSIONS = 'query MySessions { viewer { id sessions(first: 20) { nodes { id state } } } }';
export const BLACKLIST = 'query MyBlacklist { viewer { id blacklistEntries(first: 20) { nodes { tokenId reason } } } }';
export const LOGOUT = 'mutation Logout { logout { endedCount errors { code } } }';

// As localStorage.
export function createStorage() {
  const items = new Map();
  return {
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: key => items.delete(key),
  };
}

// Counts the refreshes that go over the wire while the work is done.
export async function countRefreshes(work) {
  const { fetch } = globalThis;
  let count = 0;
  globalThis.fetch = (url, options) => {
    if (String(options?.body).includes('mutation Refresh')) count += 1;
    return fetch(url, options);
  };
  try {
    await work();
    return count;
  } finally {
    globalThis.fetch = fetch;
  }
}
