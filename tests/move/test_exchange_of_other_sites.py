"""Tokens of sites with other keys, claims and versions are exchanged."""

import time

import pytest

from django_site import ENVIRONMENTS
from exchange import by_hand, key_pair, moved, signed
from records import claims

# A key may have another length than PyJWT recommends for another algorithm.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")


@pytest.mark.parametrize("algorithm, kind", [("RS256", "sqlite"), ("ES256", "postgres")])
def test_a_site_with_a_key_pair_an_issuer_and_an_audience(make_site, make_service, algorithm, kind):
    private, public = key_pair(algorithm)
    settings = {"ALGORITHM": algorithm, "SIGNING_KEY": private, "VERIFYING_KEY": public,
                "ISSUER": "https://shop.example.com", "AUDIENCE": ["shop", "mobile"], "LEEWAY": 30}
    made = moved(
        make_site(simple_jwt=settings), make_service(kind), key=public, algorithm=algorithm,
        issuer=settings["ISSUER"], audience=settings["AUDIENCE"], leeway=30,
    )
    token = made.take()
    payload = claims(token["refresh"])
    first, second = made.replicas
    header = {"alg": "HS256", "typ": "JWT"}
    for what, text in (
        ("HMAC with the public key", by_hand(payload, public.encode(), header)),
        ("HMAC with the public key without the last line's end", by_hand(payload, public.strip().encode(), header)),
        ("another issuer", signed({**payload, "iss": "https://other.example.com"}, private, algorithm)),
        ("another audience", signed({**payload, "aud": "other"}, private, algorithm)),
        ("no signature", signed(payload, None, "none")),
        ("another key", signed(payload, key_pair(algorithm)[0], algorithm)),
    ):
        assert first.refresh(text).codes == ("REFRESH_TOKEN_INVALID",), what
    past = signed({**payload, "exp": int(time.time()) - 45}, private, algorithm)
    assert first.refresh(past).codes == ("REFRESH_TOKEN_EXPIRED",)
    # Within the leeway, and for one of the audiences.
    just = signed({**payload, "exp": int(time.time()) - 10, "aud": "mobile"}, private, algorithm)
    answer = second.refresh(just)
    assert answer.is_granted and answer.external_id == token["user_id"]
    other = made.take()
    assert first.refresh(other["refresh"]).is_granted
    made.service.stop()


def test_tokens_with_the_fingerprint_of_a_password_end_with_the_password(make_site, make_service):
    made = moved(make_site(simple_jwt={"CHECK_REVOKE_TOKEN": True}), make_service("postgres"))
    kept, there, here = made.take(), made.take(), made.take()
    assert "hash_password" in claims(kept["refresh"])
    first, second = made.replicas
    # A hash of the same password by the service is no other password.
    user = made.population.user(kept["user_id"])
    assert first.log_in(user["username"], user["password"]).is_granted
    assert second.refresh(kept["refresh"]).is_granted
    # Changed in the site, and imported.
    made.site.shell(f"""
from django.contrib.auth import get_user_model
user = get_user_model().objects.get(pk={there['user_id']})
user.set_password("a new harbour lantern 99")
user.save()
""")
    made.site.export()
    made.service.import_file(made.site.directory / "export.ndjson", "--apply")
    assert first.refresh(there["refresh"]).codes == ("SESSION_ENDED",)
    # Changed here.
    user = made.population.user(here["user_id"])
    session = first.log_in(user["username"], user["password"])
    change = """mutation($old: String!, $new: String!) {
      changePassword(input: { currentPassword: $old, newPassword: $new }) { errors { code } } }"""
    done = first.graphql(change, session.access, old=user["password"], new="tangerine orbit quartz 42")
    assert done["changePassword"]["errors"] == []
    assert second.refresh(here["refresh"]).codes == ("SESSION_ENDED",)
    made.service.stop()


def test_tokens_of_the_oldest_version_have_numbers_as_accounts_and_no_time(make_site, make_service):
    made = moved(make_site(ENVIRONMENTS[0]), make_service("sqlite"))
    token = made.take()
    payload = claims(token["refresh"])
    assert type(payload["user_id"]) is int and "iat" not in payload
    first, second = made.replicas
    future = signed({**payload, "iat": made.moment + 3600})
    assert first.refresh(future).codes == ("REFRESH_TOKEN_INVALID",)
    # The time is that of the record, whatever later one the token says.
    answer = second.refresh(signed({**payload, "iat": made.moment}))
    assert answer.is_granted and answer.external_id == token["user_id"]
    assert claims(answer.access)["auth_time"] == payload["exp"] - 86400
    assert first.refresh(token["refresh"]).refresh == answer.refresh
    made.service.stop()
