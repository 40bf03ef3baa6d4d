"""Sites whose refresh tokens are exchanged, and tokens that they did not issue."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from django_site import SECRET_KEY, Population, Site
from service import Service


@dataclass
class Exchange:
    site: Site
    population: Population
    service: Service
    flags: list
    replicas: list
    # The time of the cut-over.
    moment: int

    def take(self, state="live"):
        """A token that no other test has used, of an account that is active."""
        for token in self.population.of(state):
            user = self.population.user(token["user_id"])
            if user["is_active"] and not user["is_deleted"]:
                self.population.tokens.remove(token)
                return token
        raise AssertionError(f"no {state} token is left")

    def sessions_of(self, user_id):
        statement = "select count(*) from sessions join users on users.id = user_id where external_id = '%s'"
        return self.service.query(statement % user_id)[0][0]


def moved(site, service, population=None, key=None, **keys):
    """Imports a site, which is populated unless it was, and starts two servers."""
    if population is None:
        population = site.populate(users=10, logins=8)
        site.export()
    service.import_file(site.directory / "export.ndjson", "--apply")
    moment = int(time.time())
    keys = {"issued-before": datetime.fromtimestamp(moment, timezone.utc), **keys}
    flags = service.accept(site, key, **keys)
    replicas = [service.start(*flags, "--simplejwt-endpoints", "/api/token") for _ in range(2)]
    return Exchange(site, population, service, flags, replicas, moment)


def signed(payload, key=SECRET_KEY, algorithm="HS256", **header):
    return jwt.encode(payload, key, algorithm, header or None)


def by_hand(payload, key, header):
    """Signs by HMAC with a key that PyJWT would not take."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def with_header(token, header):
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([head, *token.split(".")[1:]])


def key_pair(algorithm):
    """Private and public key in PEM."""
    is_rsa = algorithm == "RS256"
    key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    return private.decode(), public.decode()
