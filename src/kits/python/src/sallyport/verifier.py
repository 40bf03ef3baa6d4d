"""Verification of access tokens by the public keys alone (RFC 9068, section 4)."""

import binascii
import json
import ssl
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import jwt

from .errors import NotAuthenticated
from .identity import Identity
from .keys import ALGORITHMS, PublicKeys
from .transport import Service

# Bytes. A token of Sallyport has less than one kilobyte without claims of your own.
MAX_TOKEN = 16 * 1024

_TYPES = ("at+jwt", "application/at+jwt")
_TEXTS = ("sub", "sid", "jti", "client_id", "role", "token_type")
_TIMES = ("iat", "exp", "auth_time")


class Verifier:
    """Verifies access tokens of one issuer for one audience.

    - `issuer`: the value of `--issuer`.
    - `audience`: the value of `--audience`.
    - `url`: where the service is reached, if not at the issuer.
    - `leeway`: tolerated difference between clocks, in seconds.
    - `max_token_lifetime`: tokens with a longer lifetime (seconds) are refused. Not less than
      `--access-token-lifetime`.
    - `keys_usable_for`: seconds for which the public keys are used while the service is away.

    It does not know which sessions have ended: `Guard` does.
    """

    def __init__(
        self,
        issuer: str,
        audience: str = "sallyport",
        *,
        url: str | None = None,
        leeway: float = 2.0,
        algorithms: Iterable[str] = ALGORITHMS,
        max_token_lifetime: float = 3600.0,
        keys_usable_for: float = 3600.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.leeway = leeway
        self.max_token_lifetime = max_token_lifetime
        self.service = Service(url or issuer, ssl_context=ssl_context)
        self.keys = PublicKeys(self.service, algorithms, keys_usable_for)

    def verify(self, token: str) -> Identity:
        """The identity of a valid token.

        Raises `NotAuthenticated`, or `Unavailable` if the public keys cannot be fetched.
        """
        if not token:
            raise NotAuthenticated("NO_TOKEN", "There is no access token.")
        header = _part(token, 0)
        if header is None:
            raise NotAuthenticated("MALFORMED", "The text is not an access token.")
        kind, key_id = header.get("typ"), header.get("kid")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise NotAuthenticated("WRONG_TYPE", "The token is not an access token.")
        if not isinstance(key_id, str) or "crit" in header:
            raise NotAuthenticated("INVALID", "The access token is not valid.")
        key = self.keys.find(key_id)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway,
                options={"require": ["iss", "aud", *_TEXTS, *_TIMES]},
            )
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("EXPIRED", "The access token has expired.") from None
        except jwt.PyJWTError:
            raise NotAuthenticated("INVALID", "The access token is not valid.") from None
        return self._identity(claims)

    def is_from_issuer(self, token: str) -> bool:
        """Whether the token claims to be of this issuer. It is not verified."""
        claims = _part(token, 1)
        return claims is not None and claims.get("iss") == self.issuer

    def _identity(self, claims: dict[str, Any]) -> Identity:
        if claims["token_type"] != "access":
            raise NotAuthenticated("WRONG_TYPE", "The token is not an access token.")
        is_typed = all(isinstance(claims[name], str) and claims[name] for name in _TEXTS) and all(
            isinstance(claims[name], (int, float)) and not isinstance(claims[name], bool) for name in _TIMES
        )
        # `cnf` binds a token to a key of its holder (RFC 7800), which is not checked here.
        if not is_typed or "cnf" in claims:
            raise NotAuthenticated("INVALID", "The access token is not valid.")
        if claims["exp"] - claims["iat"] > self.max_token_lifetime:
            raise NotAuthenticated("INVALID", "The access token is valid for longer than max_token_lifetime.")
        amr, external_id = claims.get("amr"), claims.get("user_id")
        try:
            auth_time = datetime.fromtimestamp(claims["auth_time"], timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise NotAuthenticated("INVALID", "The access token is not valid.") from None
        return Identity(
            user_id=claims["sub"],
            session_id=claims["sid"],
            role=claims["role"],
            auth_time=auth_time,
            external_id=str(external_id) if isinstance(external_id, (str, int)) else None,
            amr=tuple(one for one in amr if isinstance(one, str)) if isinstance(amr, list) else (),
            claims=claims,
        )


def _part(token: str, index: int) -> dict[str, Any] | None:
    """A part of a JWT as it stands there, if the text is one."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        return None
    try:
        text = urlsafe_b64decode(parts[index] + "=" * (-len(parts[index]) % 4))
        part = json.loads(text)
    except (ValueError, binascii.Error, RecursionError):
        return None
    return part if isinstance(part, dict) else None
