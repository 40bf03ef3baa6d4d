"""Verification by the public keys alone, with keys of the tests."""

import base64
import json
import threading
import time
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from front import Front, Key, claims_of
from service import free_port, until

import sallyport.keys
from sallyport import NotAuthenticated, Unavailable, Verifier

ISSUER = "https://auth.example.com"


@pytest.fixture
def verifier(front: Front) -> Verifier:
    return Verifier(ISSUER, url=front.url)


def reason(verifier: Verifier, token: str) -> str:
    with pytest.raises(NotAuthenticated) as raised:
        verifier.verify(token)
    return raised.value.reason


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, signature])


def test_an_identity_has_the_claims(front: Front, verifier: Verifier) -> None:
    claims = claims_of(ISSUER, user_id="41", role="ADMIN", amr=["pwd", "otp"], extra={"a": 1})
    identity = verifier.verify(front.keys[0].sign(claims))
    assert (identity.user_id, identity.session_id, identity.role) == (claims["sub"], claims["sid"], "ADMIN")
    assert (identity.external_id, identity.amr) == ("41", ("pwd", "otp"))
    assert identity.auth_time == datetime.fromtimestamp(claims["auth_time"], timezone.utc)
    assert identity.claims == claims
    assert verifier.verify(front.keys[0].sign(claims_of(ISSUER, amr=None))).external_id is None


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_each_algorithm_is_accepted_unless_it_is_not_listed(front: Front, algorithm: str) -> None:
    key = Key(algorithm)
    front.keys.append(key)
    token = key.sign(claims_of(ISSUER))
    assert Verifier(ISSUER, url=front.url, algorithms=[algorithm]).verify(token)
    others = [one for one in ("ES256", "EdDSA", "RS256") if one != algorithm]
    assert reason(Verifier(ISSUER, url=front.url, algorithms=others), token) == "INVALID"


def test_an_algorithm_that_is_not_asymmetric_cannot_be_listed(front: Front) -> None:
    for algorithms in ([], ["HS256"], ["none"], ["ES256", "HS256"]):
        with pytest.raises(ValueError):
            Verifier(ISSUER, url=front.url, algorithms=algorithms)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"iss": "https://others"}, "INVALID"),
        ({"aud": "others"}, "INVALID"),
        ({"aud": []}, "INVALID"),
        ({"exp": int(time.time()) - 60, "iat": int(time.time()) - 120}, "EXPIRED"),
        ({"iat": int(time.time()) + 600, "exp": int(time.time()) + 900}, "INVALID"),
        ({"nbf": int(time.time()) + 600}, "INVALID"),
        ({"exp": int(time.time()) + 7200}, "INVALID"),
        ({"exp": "tomorrow"}, "INVALID"),
        ({"auth_time": "now"}, "INVALID"),
        ({"auth_time": 10**30}, "INVALID"),
        ({"auth_time": True}, "INVALID"),
        ({"token_type": "refresh"}, "WRONG_TYPE"),
        ({"sid": 7}, "INVALID"),
        ({"sid": ""}, "INVALID"),
        ({"cnf": {"jkt": "x"}}, "INVALID"),
    ]
    + [({name: None}, "INVALID") for name in claims_of("") if name != "amr"],
)
def test_claims_of_another_value_or_kind_are_refused(
    front: Front, verifier: Verifier, changed: dict[str, Any], expected: str
) -> None:
    assert reason(verifier, front.keys[0].sign(claims_of(ISSUER, **changed))) == expected


def test_several_audiences_may_include_this_one(front: Front, verifier: Verifier) -> None:
    assert verifier.verify(front.keys[0].sign(claims_of(ISSUER, aud=["others", "sallyport"])))


def test_the_leeway_is_tolerated_and_not_more(front: Front) -> None:
    now = int(time.time())
    token = front.keys[0].sign(claims_of(ISSUER, iat=now - 100, exp=now - 20))
    assert Verifier(ISSUER, url=front.url, leeway=40).verify(token)
    assert reason(Verifier(ISSUER, url=front.url, leeway=10), token) == "EXPIRED"


def test_another_header_is_refused(front: Front, verifier: Verifier) -> None:
    key, claims = front.keys[0], claims_of(ISSUER)
    assert verifier.verify(key.sign(claims, typ="application/at+JWT"))
    for kind in ("JWT", "rt+jwt", "", 7, None):
        assert reason(verifier, key.sign(claims, typ=kind)) == "WRONG_TYPE"
    assert reason(verifier, key.sign(claims, kid=None)) == "INVALID"
    assert reason(verifier, key.sign(claims, kid="x" * 1000)) == "INVALID"
    assert reason(verifier, key.sign(claims, crit=["exp"])) == "INVALID"
    # A published key of another kind.
    front.keys.append(Key("RS256"))
    other = Verifier(ISSUER, url=front.url)
    assert reason(other, key.sign(claims, kid=front.keys[1].id)) == "INVALID"
    assert reason(other, front.keys[1].sign(claims, kid=key.id)) == "INVALID"


def test_a_token_without_a_signature_or_with_one_by_a_public_key_is_refused(front: Front, verifier: Verifier) -> None:
    key, claims = front.keys[0], claims_of(ISSUER)
    header = {"typ": "at+jwt", "kid": key.id}
    for algorithm in ("none", "None", "NONE", ""):
        assert reason(verifier, unsigned({**header, "alg": algorithm}, claims)) == "INVALID"
    signed = key.sign(claims).split(".")
    assert reason(verifier, f"{signed[0]}.{signed[1]}.") == "INVALID"
    forged = unsigned({**header, "alg": "ES256"}, {**claims, "role": "ADMIN"}, signed[2])
    assert reason(verifier, forged) == "INVALID"
    public = key.private.public_key()
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(key.jwk).encode(),
    ]
    signer = jwt.get_algorithm_by_name("HS256")
    for secret in secrets:
        message = unsigned({**header, "alg": "HS256"}, claims).rstrip(".")
        signature = base64.urlsafe_b64encode(signer.sign(message.encode(), secret)).rstrip(b"=").decode()
        assert reason(verifier, f"{message}.{signature}") == "INVALID"


def test_a_key_of_a_secret_is_never_used(front: Front) -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()
    symmetric = Key()
    symmetric.jwk = {"kty": "oct", "k": secret, "kid": "shared", "alg": "HS256"}
    front.keys.append(symmetric)
    token = jwt.encode(claims_of(ISSUER), b"s" * 32, "HS256", {"typ": "at+jwt", "kid": "shared"})
    assert reason(Verifier(ISSUER, url=front.url), token) == "INVALID"


@pytest.mark.parametrize("text", ["none", "a.b.c", "..", "....", "é.é.é", "x" * 20_000, "[].[].x", "bnVsbA.bnVsbA."])
def test_what_is_no_token_is_malformed(verifier: Verifier, text: str) -> None:
    assert reason(verifier, text) == "MALFORMED"
    assert not verifier.is_from_issuer(text)


def test_a_header_that_nests_deeply_is_malformed(verifier: Verifier) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    assert reason(verifier, f"{deep}.{deep}.x") == "MALFORMED"


def test_no_text_is_no_token(verifier: Verifier) -> None:
    assert reason(verifier, "") == "NO_TOKEN"


def test_a_flood_of_unknown_keys_causes_few_requests(front: Front, verifier: Verifier) -> None:
    good = front.keys[0].sign(claims_of(ISSUER))
    verifier.verify(good)
    stranger, began = Key(), time.monotonic()

    def flood() -> None:
        for n in range(100):
            assert reason(verifier, stranger.sign(claims_of(ISSUER), kid=f"{threading.get_ident()}-{n}")) == "INVALID"

    threads = [threading.Thread(target=flood) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert front.counts["keys"] <= 2 + (time.monotonic() - began) / sallyport.keys.PAUSE
    assert verifier.verify(good)


def test_a_new_key_is_found_at_once_and_a_removed_one_is_refused_later(
    front: Front, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sallyport.keys, "PAUSE", 0.1)
    old = front.keys[0]
    verifier.verify(old.sign(claims_of(ISSUER)))
    new = Key()
    front.keys.append(new)
    time.sleep(0.1)
    assert verifier.verify(new.sign(claims_of(ISSUER)))
    front.keys.remove(old)
    monkeypatch.setattr(sallyport.keys, "MAX_AGE", 0.1)
    time.sleep(0.1)

    def is_refused() -> bool:
        try:
            return not verifier.verify(old.sign(claims_of(ISSUER)))
        except NotAuthenticated:
            return True

    until(is_refused, 5)


def test_an_old_set_is_refreshed_without_waiting(
    front: Front, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = front.keys[0].sign(claims_of(ISSUER))
    verifier.verify(token)
    monkeypatch.setattr(sallyport.keys, "PAUSE", 0.1)
    monkeypatch.setattr(sallyport.keys, "MAX_AGE", 0.1)
    time.sleep(0.1)
    front.is_silent = True
    began = time.monotonic()
    assert verifier.verify(token)
    assert time.monotonic() - began < 0.5
    until(lambda: front.counts["keys"] == 2)


def test_known_keys_are_used_while_the_service_is_away_up_to_a_bound(
    front: Front, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sallyport.keys, "PAUSE", 0.1)
    token = front.keys[0].sign(claims_of(ISSUER))
    verifier.verify(token)
    front.stop()
    time.sleep(0.1)
    with pytest.raises(Unavailable):
        verifier.verify(Key().sign(claims_of(ISSUER)))
    assert verifier.verify(token)
    monkeypatch.setattr(verifier.keys, "_usable_for", 0.1)
    with pytest.raises(Unavailable):
        verifier.verify(token)


def test_keys_that_never_came_make_it_unavailable() -> None:
    verifier = Verifier(ISSUER, url=f"http://127.0.0.1:{free_port()}")
    for _ in range(3):
        with pytest.raises(Unavailable):
            verifier.verify(Key().sign(claims_of(ISSUER)))
    assert verifier.keys.fetches == 1


@pytest.mark.parametrize("url", ["", "auth.example.com", "ftp://auth.example.com", "https://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Verifier(ISSUER, url=url or "/")
