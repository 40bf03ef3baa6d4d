"""Strawberry: permission classes.

    Authenticated = authenticated(guard)

    @strawberry.type
    class Query:
        @strawberry.field(permission_classes=[Authenticated])
        def me(self, info: strawberry.Info) -> str:
            return identity_of(info).user_id
"""

import asyncio
from typing import Any

from strawberry.permission import BasePermission
from strawberry.types import Info

from .errors import NotAuthenticated, SallyportError
from .graphql_error import graphql_error
from .guard import Guard, bearer
from .identity import Identity

_KEY = "sallyport_identity"


def authenticated(guard: Guard) -> type[BasePermission]:
    """Permission for servers that execute asynchronously: ASGI, FastAPI, Django's `AsyncGraphQLView`."""

    class Authenticated(BasePermission):
        message = "There is no valid access token."

        async def has_permission(self, source: Any, info: Info[Any, Any], **arguments: Any) -> bool:
            # In a thread, because it may wait for a public key.
            return await asyncio.to_thread(_admit, guard, info)

    return Authenticated


def authenticated_sync(guard: Guard) -> type[BasePermission]:
    """Permission for servers that execute synchronously: Django's `GraphQLView`, Flask."""

    class Authenticated(BasePermission):
        message = "There is no valid access token."

        def has_permission(self, source: Any, info: Info[Any, Any], **arguments: Any) -> bool:
            return _admit(guard, info)

    return Authenticated


def identity_of(info: Info[Any, Any]) -> Identity:
    """The identity of a request whose field has the permission."""
    context = info.context
    found = context.get(_KEY) if isinstance(context, dict) else getattr(context, _KEY, None)
    if not isinstance(found, Identity):
        raise graphql_error(NotAuthenticated("NO_TOKEN", "There is no access token."))
    return found


def _admit(guard: Guard, info: Info[Any, Any]) -> bool:
    context = info.context
    request = context["request"] if isinstance(context, dict) else context.request
    try:
        identity = guard.authenticate(bearer(request.headers.get("Authorization")) or "")
    except SallyportError as error:
        raise graphql_error(error) from error
    if isinstance(context, dict):
        context[_KEY] = identity
    else:
        setattr(context, _KEY, identity)
    return True
