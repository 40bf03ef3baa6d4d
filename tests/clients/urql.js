// urql with its auth exchange.
import { Client, cacheExchange, fetchExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';

export function createUrql(url, session) {
  return new Client({
    url,
    exchanges: [
      cacheExchange,
      authExchange(async utils => {
        let refused;
        return {
          addAuthToOperation(operation) {
            const token = session.accessToken();
            return token ? utils.appendHeaders(operation, { authorization: `Bearer ${token}` }) : operation;
          },
          didAuthError(error, { context }) {
            const is = error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED');
            // The token of this operation: an operation that is refused late needs no second refresh.
            if (is) refused = context.fetchOptions?.headers?.authorization?.slice('Bearer '.length);
            return is;
          },
          refreshAuth: () => session.renew(refused),
        };
      }),
      fetchExchange,
    ],
  });
}
