import json
import os
from types import SimpleNamespace

import graphene
from settings import make_guard

from sallyport.graphene import SallyportMiddleware, login_required

middleware = SallyportMiddleware(make_guard())


class Query(graphene.ObjectType):
    open = graphene.String()
    me = graphene.String()

    def resolve_open(root, info):  # type: ignore[no-untyped-def]
        return "open"

    @login_required
    def resolve_me(root, info):  # type: ignore[no-untyped-def]
        return info.context.identity.session_id


schema = graphene.Schema(Query)


def app(environ, start_response):  # type: ignore[no-untyped-def]
    body = {"data": "open"}
    if environ["PATH_INFO"] == "/graphql":
        query = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["query"]
        context = SimpleNamespace(headers={"Authorization": environ.get("HTTP_AUTHORIZATION")})
        result = schema.execute(query, context=context, middleware=[middleware])
        body = {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Process", str(os.getpid()))])
    return [json.dumps(body).encode()]
