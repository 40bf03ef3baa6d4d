"""Graphene: middleware, and a decorator for resolvers.

    schema.execute(query, context=request, middleware=[SallyportMiddleware(guard)])

    @login_required
    def resolve_me(root, info):
        return info.context.identity.user_id
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from graphql import GraphQLResolveInfo

from .errors import NotAuthenticated, SallyportError
from .graphql_error import graphql_error
from .guard import Guard, bearer
from .identity import Identity

_Resolver = TypeVar("_Resolver", bound=Callable[..., Any])


class SallyportMiddleware:
    """Sets `identity` of the context, an object such as Django's request: an `Identity`, or `None` without a token.

    A field of the root whose request has a token that is not accepted fails, whether or not it needs one.
    """

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def resolve(self, next_: Callable[..., Any], root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        # Once for each field of the root: a session that ends during a request is refused from then on.
        if info.path.prev is None:
            try:
                info.context.identity = self._identity(info.context)
            except SallyportError as error:
                info.context.identity = None
                raise graphql_error(error) from error
        return next_(root, info, **arguments)

    def _identity(self, context: Any) -> Identity | None:
        token = bearer(context.headers.get("Authorization"))
        return None if token is None else self.guard.authenticate(token)


def login_required(resolver: _Resolver) -> _Resolver:
    """Lets a resolver run for authenticated requests only."""

    @functools.wraps(resolver)
    def guarded(root: Any, info: GraphQLResolveInfo, *arguments: Any, **named: Any) -> Any:
        if getattr(info.context, "identity", None) is None:
            raise graphql_error(NotAuthenticated("NO_TOKEN", "There is no access token."))
        return resolver(root, info, *arguments, **named)

    return guarded  # type: ignore[return-value]
