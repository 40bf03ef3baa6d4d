"""Reasons for which a token is not accepted."""

from typing import Literal

Reason = Literal["NO_TOKEN", "MALFORMED", "INVALID", "EXPIRED", "WRONG_TYPE", "SESSION_ENDED"]


class SallyportError(Exception):
    """Base of the errors of this package."""


class NotAuthenticated(SallyportError):
    """The token is refused (HTTP 401). The client refreshes, or logs in.

    `reason` is one of the reasons that Sallyport itself gives with `UNAUTHENTICATED`.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class SessionEnded(NotAuthenticated):
    """The session of the token has ended, e.g. by a logout."""

    def __init__(self) -> None:
        super().__init__("SESSION_ENDED", "The session has ended.")


class Unavailable(SallyportError):
    """Whether the token is valid is not known at the moment (HTTP 503). The client keeps it and tries again."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which another attempt is reasonable."""
