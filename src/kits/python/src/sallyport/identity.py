"""The user and session that a valid access token is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    user_id: str
    """The claim `sub`: UUID of the user in Sallyport."""
    session_id: str
    """The claim `sid`: UUID of the session."""
    role: str
    """The claim `role`: `USER`, `ADMIN`, or one of a newer version. Grant nothing for roles that you do not know."""
    auth_time: datetime
    """When the user logged in or gave another proof, in UTC."""
    external_id: str | None = None
    """The claim `user_id`: ID of an imported account in the system that it came from."""
    amr: tuple[str, ...] = ()
    """What the user showed (RFC 8176), e.g. `pwd`, `otp`."""
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All claims of the token."""
