"""Tokens of Sallyport for SimpleJWT's own classes, without the guard."""

from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import AccessToken
from settings import ISSUER, URL


class SallyportToken(AccessToken):
    _token_backend = TokenBackend("ES256", jwk_url=f"{URL}/.well-known/jwks.json", issuer=ISSUER, audience="sallyport")
