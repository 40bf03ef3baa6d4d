"""Errors of GraphQL, with the codes of Sallyport's own API."""

from graphql import GraphQLError

from .errors import NotAuthenticated, SallyportError


def graphql_error(error: SallyportError) -> GraphQLError:
    """`UNAUTHENTICATED` with its reason, or `SERVICE_UNAVAILABLE`."""
    if isinstance(error, NotAuthenticated):
        return GraphQLError(str(error), extensions={"code": "UNAUTHENTICATED", "reason": error.reason})
    return GraphQLError(str(error), extensions={"code": "SERVICE_UNAVAILABLE"})
