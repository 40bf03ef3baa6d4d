"""Guard of a service: verifies access tokens, and refuses those of ended sessions."""

import atexit
import ssl
import weakref
from collections.abc import Callable, Iterable

from .account import AccountToken
from .ended_sessions import EndedSessions
from .errors import NotAuthenticated, SessionEnded, Unavailable
from .identity import Identity
from .keys import ALGORITHMS
from .session_ends import SessionEnds
from .verifier import Verifier

# Seconds for which the first requests of a process wait until the ended sessions are known.
FIRST_WAIT = 5.0


class Guard:
    """Decides whether an access token is accepted. Make one for a program; all its threads may use it.

    - `issuer`, `audience`, `url`, `leeway`, `algorithms`, `max_token_lifetime`, `keys_usable_for`: see `Verifier`.
    - `username`, `password`: an administrator's account for this service, which follows the ends of sessions.
    - `token`: instead of them, a function that returns an administrator's access token. It is called before each
      stream, in the thread that follows.
    - `staleness`: seconds without a word from Sallyport after which tokens are neither accepted nor refused.

    Each process follows the ends in a thread of its own, which begins with the first token or `start()`. It begins
    again after a fork.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = "sallyport",
        *,
        username: str | None = None,
        password: str | None = None,
        token: Callable[[], str] | None = None,
        url: str | None = None,
        leeway: float = 2.0,
        algorithms: Iterable[str] = ALGORITHMS,
        staleness: float = 5.0,
        max_token_lifetime: float = 3600.0,
        keys_usable_for: float = 3600.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.verifier = Verifier(
            issuer,
            audience,
            url=url,
            leeway=leeway,
            algorithms=algorithms,
            max_token_lifetime=max_token_lifetime,
            keys_usable_for=keys_usable_for,
            ssl_context=ssl_context,
        )
        service = self.verifier.service
        if token is None:
            if username is None or password is None:
                raise ValueError("either username and password, or token")
            token = AccountToken(service, username, password)
        elif username is not None or password is not None:
            raise ValueError("either username and password, or token")
        self._ended = EndedSessions(max_token_lifetime + leeway, leeway)
        self._ends = SessionEnds(service, token, self._ended, staleness)
        _close_at_exit(self)

    def authenticate(self, token: str) -> Identity:
        """The identity of an access token, which is the text after `Bearer ` in the header `Authorization`.

        Raises `NotAuthenticated` (HTTP 401), or of its kind `SessionEnded`; or `Unavailable` (HTTP 503) where it
        is not known. It does not block, except for a public key that is not known yet, and when a process begins.
        """
        identity = self.verifier.verify(token)
        self._ends.start()
        if self._has_ended(identity):
            raise SessionEnded
        if not self._ends.wait(FIRST_WAIT):
            raise Unavailable("Which sessions have ended is not known at the moment.")
        # They may have become known just now.
        if self._has_ended(identity):
            raise SessionEnded
        return identity

    def is_from_issuer(self, token: str) -> bool:
        """Whether the token claims to be of this issuer. It is not verified."""
        return self.verifier.is_from_issuer(token)

    def start(self) -> None:
        """Follows the ends of sessions from now on, before the first token comes."""
        self._ends.start()

    @property
    def is_ready(self) -> bool:
        """Whether tokens can be accepted at the moment, e.g. for the readiness probe of a service."""
        return self._ends.is_ready

    def close(self) -> None:
        """Stops to follow the ends, and logs out. Done at the end of a process by itself."""
        self._ends.close()

    def _has_ended(self, identity: Identity) -> bool:
        return self._ended.includes(identity.session_id, identity.claims["iat"])


def bearer(header: str | None) -> str | None:
    """The token of a header `Authorization`; `None` if there is none of the scheme `Bearer`.

    Raises `NotAuthenticated` if the scheme is there without one token.
    """
    words = (header or "").split()
    if not words or words[0].lower() != "bearer":
        return None
    if len(words) != 2:
        raise NotAuthenticated("MALFORMED", "The text is not an access token.")
    return words[1]


def _close_at_exit(guard: Guard) -> None:
    reference = weakref.ref(guard)

    def close() -> None:
        one = reference()
        if one is not None:
            one.close()

    atexit.register(close)
