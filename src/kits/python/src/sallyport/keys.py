"""Cache of the service's public keys (JWKS, RFC 7517).

A set is fetched again in the background once it is five minutes old. While the service is away the old set is
used, up to a bound. Unknown key IDs, which strangers can invent, cause one fetch in five seconds at most.
"""

import json
import logging
import threading
from collections.abc import Iterable

import jwt

from .errors import NotAuthenticated, Unavailable
from .process import call_after_fork, monotonic
from .transport import Service, TransportError

_log = logging.getLogger("sallyport")

PATH = "/.well-known/jwks.json"

# Seconds. The service publishes a key ten minutes before it signs.
MAX_AGE = 300.0
# Between two fetches for unknown key IDs, and between two attempts while the service is away.
PAUSE = 5.0

ALGORITHMS = ("ES256", "EdDSA", "RS256")
MAX_KEYS = 100
# A thumbprint has 43 characters.
MAX_KEY_ID = 128


class PublicKeys:
    """The keys of one service. `usable_for`: seconds for which a set is used that cannot be fetched again."""

    def __init__(self, service: Service, algorithms: Iterable[str] = ALGORITHMS, usable_for: float = 3600.0) -> None:
        self._service = service
        self._algorithms = frozenset(algorithms)
        unknown = self._algorithms - set(ALGORITHMS)
        if unknown or not self._algorithms:
            raise ValueError(f"algorithms are some of {', '.join(ALGORITHMS)}")
        self._usable_for = max(usable_for, MAX_AGE)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._etag: str | None = None
        self._fetched_at = self._tried_at = float("-inf")
        self._is_refreshing = False
        self._fetching = threading.Lock()
        self.fetches = 0
        """How often the set was requested."""
        call_after_fork(self)

    def after_fork(self) -> None:
        self._fetching = threading.Lock()
        self._is_refreshing = False

    def find(self, key_id: str) -> jwt.PyJWK:
        """The key of this ID.

        Raises `NotAuthenticated` if there is none, `Unavailable` if that cannot be told.
        """
        age = monotonic() - self._fetched_at
        if age >= self._usable_for:
            self._fetch(self._fetched_at)
        elif age >= MAX_AGE:
            self._refresh_in_background()
        key = self._keys.get(key_id)
        if key is None and len(key_id) <= MAX_KEY_ID:
            self._fetch(self._fetched_at)
            key = self._keys.get(key_id)
        if key is None:
            raise NotAuthenticated("INVALID", "The key of the token is unknown.")
        return key

    def _fetch(self, known: float) -> None:
        """Fetches a set newer than the known one, unless that was just tried."""
        with self._fetching:
            if self._fetched_at > known:
                return
            now = monotonic()
            if now - self._tried_at >= PAUSE:
                try:
                    self._request(now)
                except TransportError as error:
                    _log.warning("The public keys could not be fetched: %s", error)
            if self._fetched_at < self._tried_at:
                raise Unavailable("The public keys cannot be fetched at the moment.")

    def _request(self, now: float) -> None:
        self._tried_at = now
        self.fetches += 1
        reply = self._service.get(PATH, {"If-None-Match": self._etag} if self._etag else None)
        if reply.status == 200:
            self._keys = self._parse(reply.body)
            self._etag = reply.etag
        elif reply.status != 304 or not self._etag:
            raise TransportError(f"HTTP {reply.status} for {PATH}")
        self._fetched_at = now

    def _refresh_in_background(self) -> None:
        if self._is_refreshing or monotonic() - self._tried_at < PAUSE:
            return
        self._is_refreshing = True
        threading.Thread(target=self._refresh, name="sallyport-keys", daemon=True).start()

    def _refresh(self) -> None:
        try:
            self._fetch(self._fetched_at)
        except Unavailable:
            # The old set is used until it is too old.
            pass
        finally:
            self._is_refreshing = False

    def _parse(self, body: bytes) -> dict[str, jwt.PyJWK]:
        try:
            entries = json.loads(body)["keys"]
        except (ValueError, KeyError, TypeError) as error:
            raise TransportError("the answer is no set of keys") from error
        if not isinstance(entries, list) or len(entries) > MAX_KEYS:
            raise TransportError("the answer is no set of keys")
        keys: dict[str, jwt.PyJWK] = {}
        for entry in entries:
            # The key determines the algorithm, never the token. Keys of others are no error: a newer version
            # may have them.
            if not isinstance(entry, dict) or entry.get("alg") not in self._algorithms:
                continue
            key_id = entry.get("kid")
            if not isinstance(key_id, str) or entry.get("use", "sig") != "sig":
                continue
            try:
                keys[key_id] = jwt.PyJWK(entry)
            except jwt.PyJWTError as error:
                _log.warning("A public key cannot be read: %s", error)
        return keys
