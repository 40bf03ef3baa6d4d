import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from settings import make_guard

from sallyport import Identity
from sallyport.fastapi import Authenticated

guard = make_guard()
authenticated = Authenticated(guard)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    guard.start()
    yield
    guard.close()


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def tell_process(request: Request, call_next) -> Response:  # type: ignore[no-untyped-def]
    response: Response = await call_next(request)
    response.headers["X-Process"] = str(os.getpid())
    return response


@app.get("/open")
def open_() -> str:
    return "open"


@app.get("/me")
def me(identity: Annotated[Identity, Depends(authenticated)]) -> dict[str, str]:
    return {"sid": identity.session_id}
