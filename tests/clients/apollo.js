// Apollo Client: sends the access token. After UNAUTHENTICATED it refreshes once for all queries that
// failed together, and sends them again.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, switchMap, throwError } from 'rxjs';

export function createApollo(url, session) {
  const authorize = new SetContextLink(({ headers }) => {
    const token = session.accessToken();
    return { token, headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) } };
  });
  const renew = new ErrorLink(({ error, operation, forward }) => {
    const refused = CombinedGraphQLErrors.is(error) && error.errors.some(isUnauthenticated);
    const { token, renewed } = operation.getContext();
    if (!refused || !token || renewed) return;
    operation.setContext({ renewed: true });
    return from(session.renew(token)).pipe(
      switchMap(again => (again ? forward(operation) : throwError(() => error))),
    );
  });
  return new ApolloClient({
    link: ApolloLink.from([renew, authorize, new HttpLink({ uri: url })]),
    cache: new InMemoryCache(),
  });
}

const isUnauthenticated = error => error.extensions?.code === 'UNAUTHENTICATED';
