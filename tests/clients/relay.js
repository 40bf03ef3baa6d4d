// Relay: the network layer of its environment.
import { Environment, Network, RecordSource, Store } from 'relay-runtime';

export function createRelay(url, session) {
  async function send({ text }, variables) {
    const token = session.accessToken();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query: text, variables }),
    });
    return { token, answer: await response.json() };
  }

  async function fetchAndRenew(request, variables) {
    const { token, answer } = await send(request, variables);
    const refused = answer.errors?.some(error => error.extensions.code === 'UNAUTHENTICATED');
    if (refused && token && (await session.renew(token))) return (await send(request, variables)).answer;
    return answer;
  }

  return new Environment({ network: Network.create(fetchAndRenew), store: new Store(new RecordSource()) });
}
