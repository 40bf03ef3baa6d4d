// Token of a link in an e-mail.
//
// Invariant: the token is in the memory of this page only. It is neither in the address bar, nor in the
// history, nor in storage, and it is sent when the person presses a button, in the body of one request.

/** Takes the token out of the fragment of the address; undefined if there is none. */
export function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  return token || undefined;
}
