"""sallyport_refresh.py: the site accepts each refresh token of the service once."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from django_site import ENVIRONMENTS, get, post
from records import claims
from test_load import file_of, rows, session, user

# One for each master secret.
KEYS = [bytes(range(32)), bytes(range(100, 132))]
OTHER_KEY = bytes(range(200, 232))
ISSUER = "https://auth.example.com"
INVALID = {"detail": "Token is invalid", "code": "token_not_valid"}


class Back:
    """A site that is served after the move back, with one session of the service for each account."""

    def __init__(self, site, url, accounts):
        self.site = site
        self.url = url
        self.accounts = accounts

    def refresh(self, token):
        return post(f"{self.url}/api/back/refresh/", {"refresh": token})


VERSIONS = [(ENVIRONMENTS[0], "default"), (ENVIRONMENTS[1], "email"), (ENVIRONMENTS[-1], "email")]


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def back(request, make_site):
    site = make_site(*request.param)
    accounts = site.populate(users=12, logins=0).users
    lines = [session(f"session-of-{account['username']}", account["id"]) for account in accounts]
    lines += [session(f"old-session-of-{account['username']}", account["id"]) for account in accounts]
    site.load(file_of(*lines, user(accounts[11]["id"], is_active=False)))
    # Of different lengths, as the service writes them without padding.
    text = "".join(base64.urlsafe_b64encode(key).decode().rstrip("=") + "\n" for key in KEYS)
    (site.directory / "refresh-key").write_text(text)
    with site.serve() as url:
        yield Back(site, url, accounts)


def signed(jti, key=KEYS[0], algorithm="HS256", header=(), without=(), **changes):
    """A refresh token as the service signs it, except for the changes."""
    payload = {
        "iss": ISSUER,
        "sub": "0199b4a8-2000-7000-8000-000000000001",
        "sid": "0199b4a8-2000-7000-8000-000000000002",
        "jti": jti,
        "iat": int(time.time()),
        "exp": int(time.time()) + 1000,
        "token_type": "refresh",
        **changes,
    }
    payload = {name: value for name, value in payload.items() if name not in without}
    return jwt.encode(payload, key, algorithm, {"kid": "kid", "typ": "rt+jwt", **dict(header)})


@pytest.mark.parametrize("number, key", list(enumerate(KEYS)), ids=["current", "older"])
def test_a_token_of_the_service_is_exchanged_once_for_a_pair_of_the_site(back, number, key):
    account = back.accounts[number]
    token = signed(f"session-of-{account['username']}", key)
    answer = back.refresh(token)
    assert answer.status == 200 and set(answer.body) == {"access", "refresh"}, answer
    assert str(claims(answer.body["refresh"])["user_id"]) == account["id"]
    me = get(f"{back.url}/api/me", answer.body["access"])
    assert me.status == 200 and me.body["username"] == account["username"]
    # From here on it is a session like any other, by the same view.
    jti = claims(answer.body["refresh"])["jti"]
    assert rows(back.site, f"select user_id is not null from token_blacklist_outstandingtoken where jti = '{jti}'") == [(1,)]
    again = back.refresh(answer.body["refresh"])
    assert again.status == 200 and "access" in again.body
    assert back.refresh(token).body == {"detail": "Token is blacklisted", "code": "token_not_valid"}
    assert back.refresh(token).status == 401


def test_one_of_many_requests_at_once_gets_a_pair(back):
    account = back.accounts[2]
    token = signed(f"session-of-{account['username']}")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(back.refresh, [token] * 20))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19


def wrong_tokens(name):
    jti = f"session-of-{name}"
    now = int(time.time())
    yield "a session that was not loaded", signed("unknown")
    yield "another key", signed(jti, OTHER_KEY)
    yield "another size of HMAC", signed(jti, algorithm="HS384")
    yield "no signature", signed(jti, None, "none")
    yield "another issuer", signed(jti, iss="https://other.example.com")
    yield "an access token", signed(jti, header={"typ": "at+jwt"}, token_type="access")
    yield "claims of an access token", signed(jti, token_type="access")
    yield "an extension that must be understood", signed(jti, header={"crit": ["b64"], "b64": True})
    yield "an audience", signed(jti, aud="sallyport")
    yield "a time before which it does not count", signed(jti, nbf=now - 10)
    yield "a key of its holder", signed(jti, cnf={"jkt": "x"})
    yield "a number for an id", signed(7)
    yield "an issue time in text", signed(jti, iat=str(now))
    yield "an expiry in text", signed(jti, exp=str(now + 100))
    for claim in ("iss", "sub", "sid", "jti", "iat", "exp", "token_type"):
        yield f"no {claim}", signed(jti, without=[claim])
    yield "cut off", signed(jti)[:-3]
    yield "the signature of another token", signed(jti, exp=now + 9).rsplit(".", 1)[0] + "." + signed(jti).rsplit(".", 1)[1]


# The same key has another length than PyJWT recommends for another algorithm.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_forged_and_foreign_tokens_are_refused_and_spend_nothing(back):
    name = back.accounts[3]["username"]
    for what, token in wrong_tokens(name):
        answer = back.refresh(token)
        assert answer.status == 401 and answer.body["code"] == "token_not_valid", (what, answer)
    expired = back.refresh(signed(f"session-of-{name}", exp=int(time.time()) - 1))
    assert expired.status == 401 and expired.body == {"detail": "Token is expired", "code": "token_not_valid"}
    assert back.refresh(signed(f"session-of-{name}", iat=int(time.time()) + 500)).status == 200


def test_a_deactivated_and_a_deleted_account_get_nothing(back):
    inactive, deleted = back.accounts[11], back.accounts[10]
    back.site.manage("change_tokens", stdin='{"delete": ["%s"]}' % deleted["id"])
    answer = back.refresh(signed(f"session-of-{inactive['username']}"))
    assert answer.status == 401 and answer.body["detail"] == "No active account found for the given token."
    assert back.refresh(signed(f"session-of-{deleted['username']}")).status == 401


def test_tokens_of_the_site_are_refreshed_as_before(back):
    account = next(account for account in back.accounts[4:] if account["can_log_in"])
    field = "email" if back.site.options["model"] == "email" else "username"
    credentials = {field: account["username"], "password": account["password"]}
    token = post(f"{back.url}/api/token/", credentials).body["refresh"]
    answer = back.refresh(token)
    assert answer.status == 200 and set(answer.body) == {"access", "refresh"}
    assert back.refresh(token).status == 401
    for body in ({}, {"refresh": ""}, {"refresh": None}, {"refresh": 7}, {"refresh": "garbage"}, [], "text"):
        theirs = post(f"{back.url}/api/token/refresh/", body)
        assert post(f"{back.url}/api/back/refresh/", body) == theirs and theirs.status in (400, 401)


def test_a_key_file_without_keys_is_an_error_that_does_not_show_it(back):
    (back.site.directory / "refresh-key-broken").write_text("secret-of-a-wrong-length\n")
    code = """
from django.conf import settings
from sallyport_refresh import refresh_keys
refresh_keys(settings.SALLYPORT_REFRESH_KEY_FILE + "-broken")
"""
    done = back.site.manage("shell", stdin=code, check=False)
    assert done.returncode == 1 and "has no keys in base64url" in done.stderr
    assert "secret-of-a-wrong-length" not in done.stderr
