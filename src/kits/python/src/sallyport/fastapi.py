"""FastAPI: dependency.

    authenticated = Authenticated(Guard("https://auth.example.com", username="verifier", password="…"))

    @app.get("/me")
    def me(identity: Annotated[Identity, Depends(authenticated)]) -> str: ...
"""

from fastapi import HTTPException
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from .errors import NotAuthenticated, Unavailable
from .guard import Guard, bearer
from .identity import Identity


class Authenticated(HTTPBearer):
    """Returns the identity of the request, or answers 401 or 503. Appears in OpenAPI as a bearer scheme."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(bearerFormat="JWT", scheme_name="Sallyport", auto_error=False)
        self.guard = guard

    async def __call__(self, request: Request) -> Identity:  # type: ignore[override]
        try:
            token = bearer(request.headers.get("Authorization")) or ""
            # In a thread, because it may wait for a public key.
            return await run_in_threadpool(self.guard.authenticate, token)
        except NotAuthenticated as error:
            challenge = "Bearer" if error.reason == "NO_TOKEN" else 'Bearer error="invalid_token"'
            raise HTTPException(401, str(error), {"WWW-Authenticate": challenge}) from error
        except Unavailable as error:
            raise HTTPException(503, str(error), {"Retry-After": str(error.retry_after)}) from error
