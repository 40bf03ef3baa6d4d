"""Django REST Framework: authentication class.

    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["sallyport.drf.SallyportAuthentication"]}
    SALLYPORT = {"ISSUER": "https://auth.example.com", "USERNAME": "verifier", "PASSWORD": "…"}

The setting `SALLYPORT` has the arguments of `Guard` in capitals, and

- `USER_ID_CLAIM`: the claim that names the user; by default `user_id`, the ID of an imported account.
- `USER_ID_FIELD`: the field of Django's user model with this value; by default `pk`.

A token of another issuer is left to the next class of the list.
"""

import threading
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from rest_framework import exceptions, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .errors import NotAuthenticated, Unavailable
from .guard import Guard, bearer
from .identity import Identity
from .process import call_after_fork

_OF_USERS = {"USER_ID_CLAIM", "USER_ID_FIELD"}


class ServiceUnavailable(exceptions.APIException):
    """HTTP 503 with `Retry-After`."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Authentication is not available at the moment."
    default_code = "service_unavailable"

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        # The exception handler of the framework makes the header of it.
        self.wait = retry_after


class SallyportAuthentication(BaseAuthentication):
    """Sets `request.user` to Django's user of the token, and `request.auth` to the `Identity`.

    A subclass may override `get_user`, e.g. to create users at their first request.
    """

    def authenticate(self, request: Request) -> tuple[Any, Identity] | None:
        try:
            token = bearer(request.META.get("HTTP_AUTHORIZATION"))
            if token is None or not guard().is_from_issuer(token):
                return None
            identity = guard().authenticate(token)
        except NotAuthenticated as error:
            raise exceptions.AuthenticationFailed(str(error), code=error.reason.lower()) from error
        except Unavailable as error:
            raise ServiceUnavailable(error.retry_after) from error
        return self.get_user(identity), identity

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def get_user(self, identity: Identity) -> AbstractBaseUser:
        value = identity.claims.get(_setting("USER_ID_CLAIM", "user_id"))
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise exceptions.AuthenticationFailed("The token names no user of this site.", code="user_not_found")
        users = get_user_model()
        try:
            user = users._default_manager.get(**{_setting("USER_ID_FIELD", "pk"): value})
        except (users.DoesNotExist, ValueError, OverflowError, ValidationError):
            raise exceptions.AuthenticationFailed("User not found.", code="user_not_found") from None
        if not user.is_active:
            raise exceptions.AuthenticationFailed("User is inactive.", code="user_inactive")
        return user


class _Configured:
    """The guard of the settings, made when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guard: Guard | None = None
        call_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def get(self) -> Guard:
        if self._guard is None:
            with self._lock:
                if self._guard is None:
                    self._guard = _from_settings()
        return self._guard

    def reset(self, *, setting: str, **_: object) -> None:
        if setting == "SALLYPORT":
            one, self._guard = self._guard, None
            if one is not None:
                one.close()


def _setting(name: str, default: str) -> str:
    value: str = settings.SALLYPORT.get(name, default)
    return value


def _from_settings() -> Guard:
    arguments = {name.lower(): value for name, value in settings.SALLYPORT.items() if name not in _OF_USERS}
    if isinstance(arguments.get("token"), str):
        arguments["token"] = import_string(arguments["token"])
    return Guard(**arguments)


_configured = _Configured()
setting_changed.connect(_configured.reset, dispatch_uid="sallyport")


def guard() -> Guard:
    """The guard of the settings. Servers that fork call `guard().start()` in each worker."""
    return _configured.get()
