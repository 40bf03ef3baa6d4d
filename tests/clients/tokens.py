"""Access tokens as resource servers in Python see them, through the public keys alone.

SALLYPORT_URL is where the keys are; ACCESS, REFRESH and EXPIRED are tokens of that service, and ALGORITHM
is what it signs with.
"""

import json
import os
import unittest
import urllib.request

import django
import jwt
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

JWKS_URL = os.environ["SALLYPORT_URL"] + "/.well-known/jwks.json"
ACCESS, REFRESH, EXPIRED = (os.environ[name] for name in ("ACCESS", "REFRESH", "EXPIRED"))
ALGORITHM = os.environ["ALGORITHM"]
ISSUER, AUDIENCE = "http://127.0.0.1:8000", "sallyport"

settings.configure(
    SECRET_KEY="of no use here",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"
        ],
    },
    SIMPLE_JWT={
        "ALGORITHM": ALGORITHM,
        "JWK_URL": JWKS_URL,
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "USER_ID_CLAIM": "sub",
    },
)
django.setup()

from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view, permission_classes  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402


@api_view()
@permission_classes([IsAuthenticated])
def me(request):
    return Response({"user": request.user.id})


urlpatterns = [path("me", me)]


class PyJwt(unittest.TestCase):
    def decode(self, token, audience=AUDIENCE, issuer=ISSUER):
        key = jwt.PyJWKClient(JWKS_URL).get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=[ALGORITHM], audience=audience, issuer=issuer)

    def test_an_access_token_is_taken(self):
        self.assertEqual(self.decode(ACCESS)["token_type"], "access")

    def test_what_is_for_others_by_others_or_over_is_refused(self):
        self.assertRaises(jwt.InvalidAudienceError, self.decode, ACCESS, audience="others")
        self.assertRaises(jwt.InvalidIssuerError, self.decode, ACCESS, issuer="https://others")
        self.assertRaises(jwt.ExpiredSignatureError, self.decode, EXPIRED)
        self.assertRaises(jwt.PyJWTError, self.decode, REFRESH)


class Authlib(unittest.TestCase):
    """The validator of RFC 9068, which checks the type and that every claim is there."""

    def validate(self, token, audience=AUDIENCE, issuer=ISSUER):
        class Validator(JWTBearerTokenValidator):
            def get_jwks(self):
                with urllib.request.urlopen(JWKS_URL) as answer:
                    return KeySet.import_key_set(json.load(answer))

        validator = Validator(issuer=issuer, resource_server=audience)
        claims = validator.authenticate_token(token)
        validator.validate_token(claims, [], None)
        return claims

    def test_an_access_token_is_taken(self):
        self.assertEqual(self.validate(ACCESS)["client_id"], "sallyport")

    def test_what_is_for_others_by_others_or_over_is_refused(self):
        self.assertRaises(InvalidTokenError, self.validate, ACCESS, audience="others")
        self.assertRaises(InvalidTokenError, self.validate, ACCESS, issuer="https://others")
        self.assertRaises(InvalidTokenError, self.validate, EXPIRED)
        self.assertRaises((InvalidTokenError, JoseError, ValueError), self.validate, REFRESH)


class SimpleJwt(unittest.TestCase):
    """A view of Django REST Framework whose users are known by their tokens alone."""

    def status(self, token):
        return APIClient().get("/me", headers={"authorization": f"Bearer {token}"}).status_code

    def test_an_access_token_is_taken(self):
        answer = APIClient().get("/me", headers={"authorization": f"Bearer {ACCESS}"})
        self.assertEqual(answer.json(), {"user": jwt.decode(ACCESS, options={"verify_signature": False})["sub"]})

    def test_what_is_over_or_of_another_type_is_refused(self):
        self.assertEqual([self.status(EXPIRED), self.status(REFRESH), self.status("none")], [401, 401, 401])

    def test_what_is_for_others_or_by_others_is_refused(self):
        from rest_framework_simplejwt.state import token_backend

        for name, value in (("audience", "others"), ("issuer", "https://others")):
            kept = getattr(token_backend, name)
            setattr(token_backend, name, value)
            try:
                self.assertEqual(self.status(ACCESS), 401)
            finally:
                setattr(token_backend, name, kept)


if __name__ == "__main__":
    unittest.main()
