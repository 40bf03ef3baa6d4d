"""Access token of an account of the service, by its name and password.

The account follows the ends of sessions. Each process has a session of its own, because two users of one refresh
token look like theft.
"""

import base64
import json
import os
import socket
import uuid
from typing import Any

from .process import monotonic
from .transport import Refused, Service, TransportError

_LOGIN = """mutation($username: String!, $password: String!, $name: String) {
  login(input: { username: $username, password: $password, sessionName: $name }) {
    tokens { accessToken refreshToken }
    errors { code retryAfterSeconds }
  }
}"""

_REFRESH = """mutation($refreshToken: String!, $attemptId: String!) {
  refresh(input: { refreshToken: $refreshToken, attemptId: $attemptId }) {
    tokens { accessToken refreshToken }
    errors { code retryAfterSeconds }
  }
}"""

_LOGOUT = "mutation($refreshToken: String!) { logout(input: { refreshToken: $refreshToken }) { endedCount } }"

# Part of an access token's lifetime after which it is refreshed.
_USED = 0.75

_LOG_IN_AGAIN = (
    "REFRESH_TOKEN_STALE",
    "REFRESH_TOKEN_EXPIRED",
    "REFRESH_TOKEN_REUSED",
    "REFRESH_TOKEN_INVALID",
    "SESSION_ENDED",
)


class AccountToken:
    """Returns a valid access token at each call. Only one thread of a process may call it."""

    def __init__(self, service: Service, username: str, password: str) -> None:
        self._service = service
        self._username = username
        self._password = password
        self.after_fork()

    def after_fork(self) -> None:
        """Forgets the session, which is the parent's."""
        self._access: str | None = None
        self._refresh: str | None = None
        self._attempt: str | None = None
        self._refresh_at = float("-inf")

    def __call__(self) -> str:
        if self._access is None or monotonic() >= self._refresh_at:
            self._access = self._renewed() or self._log_in()
        return self._access

    def reject(self) -> None:
        """The service refused the access token: the next call refreshes it."""
        self._access = None

    def log_out(self) -> None:
        refresh, self._access, self._refresh = self._refresh, None, None
        if refresh is not None:
            try:
                self._service.execute(_LOGOUT, {"refreshToken": refresh})
            except TransportError:
                # The session ends when its refresh token expires.
                pass

    def _renewed(self) -> str | None:
        if self._refresh is None:
            return None
        # Kept until there is an answer: with the same attempt a repetition gets the same tokens.
        self._attempt = self._attempt or str(uuid.uuid4())
        variables = {"refreshToken": self._refresh, "attemptId": self._attempt}
        try:
            payload = self._service.execute(_REFRESH, variables)["refresh"]
            access = self._keep(payload)
        except Refused as refused:
            if refused.code not in _LOG_IN_AGAIN:
                raise
            self._refresh = self._attempt = None
            return None
        self._attempt = None
        return access

    def _log_in(self) -> str:
        name = f"verifier {socket.gethostname()} {os.getpid()}"[:100]
        variables = {"username": self._username, "password": self._password, "name": name}
        return self._keep(self._service.execute(_LOGIN, variables)["login"])

    def _keep(self, payload: Any) -> str:
        if not isinstance(payload, dict):
            raise TransportError("the answer has no tokens")
        for error in payload.get("errors") or ():
            raise Refused(str(error.get("code")), error.get("retryAfterSeconds"))
        tokens = payload.get("tokens")
        if not isinstance(tokens, dict) or not isinstance(tokens.get("accessToken"), str):
            raise TransportError("the answer has no tokens")
        access: str = tokens["accessToken"]
        # Without rotation there is no new refresh token, and the client keeps the old one.
        self._refresh = tokens.get("refreshToken") or self._refresh
        self._refresh_at = monotonic() + _USED * _lifetime(access)
        return access


def _lifetime(token: str) -> float:
    """Seconds between issue and expiry. The service that sent the token is trusted."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"] - claims["iat"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise TransportError("the answer has no access token") from error
