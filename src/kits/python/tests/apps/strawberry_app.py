import os

import strawberry
from settings import make_guard
from strawberry.asgi import GraphQL

from sallyport.strawberry import authenticated, identity_of

Authenticated = authenticated(make_guard())


@strawberry.type
class Query:
    @strawberry.field
    def open(self) -> str:
        return "open"

    @strawberry.field(permission_classes=[Authenticated])
    def me(self, info: strawberry.Info) -> str:
        return identity_of(info).session_id


graphql = GraphQL(strawberry.Schema(Query))


async def app(scope, receive, send):  # type: ignore[no-untyped-def]
    async def tell(message):  # type: ignore[no-untyped-def]
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"x-process", str(os.getpid()).encode())]
        await send(message)

    if scope["type"] == "http" and scope["path"] == "/open":
        await tell({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"open"})
    else:
        await graphql(scope, receive, tell)
