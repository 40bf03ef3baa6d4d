"""Guard for services that accept the access tokens of Sallyport.

`Guard.authenticate(token)` returns the `Identity` of a token, or raises `NotAuthenticated`, `SessionEnded` or
`Unavailable`. `Verifier` verifies by the public keys alone. The modules `drf`, `fastapi`, `strawberry` and
`graphene` connect a guard to their framework, which only they import.
"""

from .errors import NotAuthenticated, SallyportError, SessionEnded, Unavailable
from .guard import Guard
from .identity import Identity
from .verifier import Verifier

__all__ = [
    "Guard",
    "Identity",
    "NotAuthenticated",
    "SallyportError",
    "SessionEnded",
    "Unavailable",
    "Verifier",
]
