"""A view of Django REST Framework that refreshes SimpleJWT's tokens, and Sallyport's once each.

It replaces `TokenRefreshView` after a move from Sallyport back to Django, until the last refresh token of
Sallyport has expired:

    # urls.py
    path("api/token/refresh/", SallyportTokenRefreshView.as_view()),

    # settings.py
    SALLYPORT_ISSUER = "https://auth.example.com"                    # the claim `iss`
    SALLYPORT_REFRESH_KEY_FILE = "/run/secrets/sallyport-refresh"    # of `sallyport keys export-refresh`

The file has keys in base64url, one a line. A token of Sallyport is accepted only if `sallyport_load.py` has
loaded its session, and is exchanged for a pair of SimpleJWT's. Needs PyJWT 2 and SimpleJWT's blacklist app.
"""

import base64
import binascii
import functools

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, router, transaction
from django.utils.module_loading import import_string
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenRefreshView

TYPE = "rt+jwt"
ALGORITHM = "HS256"
KEY_BYTES = 32
CLAIMS = ("iss", "sub", "sid", "jti", "iat", "exp", "token_type")


class SallyportTokenRefreshView(TokenRefreshView):
    def post(self, request, *args, **kwargs):
        is_object = hasattr(request.data, "get")
        token = request.data.get("refresh") if is_object else None
        if isinstance(token, str) and is_of_sallyport(token):
            return Response(self.exchange(verify(token)))
        return super().post(request, *args, **kwargs)

    def exchange(self, claims):
        """The answer of `TokenObtainPairView`, once for each token."""
        loaded = OutstandingToken.objects.select_related("user")
        row = loaded.filter(jti=claims["jti"], token="").first()
        if row is None:
            raise InvalidToken("Token is invalid")
        if row.user is None or not api_settings.USER_AUTHENTICATION_RULE(row.user):
            raise AuthenticationFailed("No active account found for the given token.", "no_active_account")
        try:
            with transaction.atomic(using=router.db_for_write(BlacklistedToken)):
                # The unique key lets one of several requests pass. It is also the first statement, so that
                # SQLite waits for other writers.
                BlacklistedToken.objects.create(token=row)
                refresh = self.get_token(row.user)
        except IntegrityError as error:
            raise InvalidToken("Token is blacklisted") from error
        return {"access": str(refresh.access_token), "refresh": str(refresh)}

    def get_token(self, user):
        """A new refresh token, with the claims that the site adds at a login."""
        serializer = getattr(api_settings, "TOKEN_OBTAIN_SERIALIZER", None)
        return import_string(serializer).get_token(user) if serializer else RefreshToken.for_user(user)


def is_of_sallyport(token):
    try:
        return jwt.get_unverified_header(token).get("typ") == TYPE
    except jwt.InvalidTokenError:
        return False


def verify(token):
    """Claims of a refresh token of Sallyport. Those of an access token are not accepted."""
    header = jwt.get_unverified_header(token)
    claims = None if "crit" in header else signed_claims(token)
    if claims is None:
        raise InvalidToken("Token is invalid")
    # PyJWT takes a time in text, too.
    types = {"iss": str, "sub": str, "sid": str, "jti": str, "iat": int, "exp": int}
    is_right = (
        all(type(claims[name]) is expected for name, expected in types.items())
        and claims["iss"] == settings.SALLYPORT_ISSUER
        and claims["token_type"] == "refresh"
        and "nbf" not in claims
        and "cnf" not in claims
    )
    if not is_right:
        raise InvalidToken("Token is invalid")
    return claims


def signed_claims(token):
    # Sallyport accepts tokens from before its clock was set back; so `iat` is not compared.
    options = {"require": list(CLAIMS), "verify_iat": False}
    for key in refresh_keys(settings.SALLYPORT_REFRESH_KEY_FILE):
        try:
            return jwt.decode(
                token, key, algorithms=[ALGORITHM], issuer=settings.SALLYPORT_ISSUER, options=options,
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError as error:
            raise InvalidToken("Token is expired") from error
        except jwt.InvalidTokenError as error:
            raise InvalidToken("Token is invalid") from error
    return None


@functools.lru_cache(maxsize=None)
def refresh_keys(path):
    """One key for each master secret of Sallyport."""
    with open(path, encoding="ascii") as file:
        lines = [line.strip() for line in file if line.strip()]
    try:
        keys = [base64.urlsafe_b64decode(line + "=" * (-len(line) % 4)) for line in lines]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        # Without the text, which may be a key.
        raise ImproperlyConfigured("SALLYPORT_REFRESH_KEY_FILE: %s has no keys in base64url" % path)
    return keys
