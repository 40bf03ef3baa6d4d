"""Refresh tokens of a site are exchanged once each, and forged ones never."""

import copy
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from django_site import SECRET_KEY, answer_to
from exchange import by_hand, moved, signed, with_header
from records import claims, graphql_request
from service import ISSUER

# A key may have another length than PyJWT recommends for another algorithm.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")


@pytest.fixture(scope="module")
def populated_site(make_site):
    site = make_site()
    population = site.populate(users=105, logins=90)
    site.export()
    return site, population


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def exchange(request, populated_site, make_service):
    site, population = populated_site
    until = datetime.now(timezone.utc) + timedelta(days=1)
    # Tests take tokens out of it.
    made = moved(site, make_service(request.param), copy.deepcopy(population), until=until)
    yield made
    made.service.stop()


def test_fifty_requests_at_once_at_two_servers_get_one_session(exchange):
    for _ in range(6):
        token = exchange.take()
        before = exchange.sessions_of(token["user_id"])
        with ThreadPoolExecutor(50) as pool:
            tries = [pool.submit(exchange.replicas[number % 2].refresh, token["refresh"]) for number in range(50)]
            answers = [one.result() for one in tries]
        assert all(answer.is_granted for answer in answers), answers
        assert len({(answer.refresh, answer.sid) for answer in answers}) == 1
        assert exchange.sessions_of(token["user_id"]) - before == 1


def test_a_server_that_is_killed_amid_exchanges_neither_loses_nor_doubles_a_session(exchange):
    tokens = [exchange.take() for _ in range(18)]
    before = {token["user_id"]: exchange.sessions_of(token["user_id"]) for token in tokens}
    unanswered = 0
    for round_number, kill_after in enumerate((1, 4, 9)):
        batch = tokens[round_number * 6 : round_number * 6 + 6]
        doomed = exchange.service.start(*exchange.flags)
        answers = []

        def ask(token):
            try:
                answers.append(doomed.refresh(token["refresh"]))
            except OSError:
                return None
            return answers[-1]

        with ThreadPoolExecutor(12) as pool:
            # Each token twice, so that the kill meets requests that wait for each other.
            tries = [pool.submit(ask, token) for token in batch for _ in range(2)]
            while len(answers) < kill_after:
                time.sleep(0.001)
            doomed.kill()
            received = [one.result() for one in tries]
        unanswered += received.count(None)
        for number, token in enumerate(batch):
            again = exchange.replicas[0].refresh(token["refresh"])
            assert again.is_granted and again.external_id == token["user_id"], again
            for answer in received[2 * number : 2 * number + 2]:
                assert answer is None or answer.refresh == again.refresh
            assert exchange.replicas[1].refresh(again.refresh).is_granted
    assert unanswered > 0
    assert all(exchange.sessions_of(user_id) == number + 1 for user_id, number in before.items())


def forged(payload, other_user, blacklisted, moment):
    """Tokens that say of themselves to be this one, and are not."""
    right, header = signed(payload), {"alg": "HS256", "typ": "JWT"}
    yield "another key", signed(payload, "x" * 64)
    yield "an empty key", by_hand(payload, b"", header)
    yield "no signature", signed(payload, None, "none")
    for none in ("none", "None", "NONE", ""):
        yield f"alg {none!r} with the signature", with_header(right, {"alg": none, "typ": "JWT"})
    yield "another size of HMAC", signed(payload, algorithm="HS512")
    yield "another size of HMAC, shorter", signed(payload, algorithm="HS384")
    yield "an algorithm with a public key", with_header(right, {"alg": "RS256", "typ": "JWT"})
    yield "another algorithm in the header", with_header(right, {"alg": "HS512", "typ": "JWT"})
    yield "a critical extension", signed(payload, crit=["b64"], b64=True)
    yield "the form of the service's tokens", signed(payload, typ="rt+jwt", kid="1")
    yield "an issuer and the form of the service's tokens", signed(
        {**payload, "iss": ISSUER, "sub": str(uuid.uuid4()), "sid": str(uuid.uuid4())}, typ="rt+jwt", kid="1")
    yield "an access token", signed({**payload, "token_type": "access"})
    yield "a sliding token", signed({**payload, "token_type": "sliding"})
    yield "the future", signed({**payload, "iat": int(time.time()) + 3600})
    yield "an id that the site did not record", signed({**payload, "jti": uuid.uuid4().hex})
    yield "an id of a blacklisted token", signed({**payload, "jti": blacklisted})
    yield "another account", signed({**payload, "user_id": other_user})
    yield "an account that does not exist", signed({**payload, "user_id": "987654321"})
    yield "after the cut-over", signed({**payload, "jti": uuid.uuid4().hex, "iat": moment + 1})
    for name in ("jti", "user_id", "token_type", "exp"):
        yield f"no {name}", signed({key: value for key, value in payload.items() if key != name})
        yield f"{name} is null", by_hand({**payload, name: None}, SECRET_KEY.encode(), header)
    yield "a number with a fraction as the account", signed({**payload, "user_id": float(payload["user_id"]) + 0.5})
    yield "a truth value as the account", signed({**payload, "user_id": True})
    yield "a list as the account", signed({**payload, "user_id": [payload["user_id"]]})
    yield "an expiry in text", by_hand({**payload, "exp": str(payload["exp"])}, SECRET_KEY.encode(), header)
    yield "cut off", right[:-4]
    yield "a part more", f"{right}.x"
    yield "padding", f"{right}="


def test_forged_and_foreign_tokens_are_refused_and_spend_nothing(exchange):
    token, other = exchange.take(), exchange.take()
    payload = claims(token["refresh"])
    blacklisted = claims(exchange.population.of("blacklisted")[0]["refresh"])["jti"]
    before = exchange.service.query("select count(*) from sessions")
    for what, text in forged(payload, other["user_id"], blacklisted, exchange.moment):
        for replica in exchange.replicas:
            answer = replica.refresh(text)
            # The id of a blacklisted token is of another account.
            assert answer.codes == ("REFRESH_TOKEN_INVALID",), (what, answer)
    expired = signed({**payload, "exp": int(time.time()) - 5})
    assert exchange.replicas[0].refresh(expired).codes == ("REFRESH_TOKEN_EXPIRED",)
    assert exchange.service.query("select count(*) from sessions") == before
    for live in (token, other):
        assert exchange.replicas[0].refresh(live["refresh"]).is_granted


def test_blacklisted_and_rotated_tokens_are_refused(exchange):
    for state in ("blacklisted", "rotated"):
        for _ in range(2):
            token = exchange.take(state)
            for replica in exchange.replicas:
                assert replica.refresh(token["refresh"]).codes == ("SESSION_ENDED",)
            # Also where its account is written as a number.
            payload = claims(token["refresh"])
            again = signed({**payload, "user_id": int(payload["user_id"])})
            assert exchange.replicas[0].refresh(again).codes == ("SESSION_ENDED",)


def test_an_access_token_of_the_site_opens_nothing(exchange):
    access = signed({**claims(exchange.take()["refresh"]), "token_type": "access"})
    viewer = "{ viewer { id } }"
    answer = answer_to(graphql_request(exchange.replicas[0].url, viewer, {}, access))
    assert "UNAUTHENTICATED" in json.dumps(answer.body)


def test_a_logout_everywhere_ends_tokens_that_were_not_exchanged_yet(exchange):
    token = exchange.take()
    user = exchange.population.user(token["user_id"])
    first, second = exchange.replicas
    session = first.log_in(user["username"], user["password"])
    first.log_out(session.access, "ALL")
    for replica in (second, first):
        assert replica.refresh(token["refresh"]).codes == ("SESSION_ENDED",)


def test_a_logout_of_an_exchanged_session_ends_the_old_token(exchange):
    token = exchange.take()
    first, second = exchange.replicas
    session = first.refresh(token["refresh"])
    first.log_out(session.access)
    for replica in (second, first):
        assert replica.refresh(token["refresh"]).codes == ("SESSION_ENDED",)
        assert replica.refresh(session.refresh).codes == ("SESSION_ENDED",)


@pytest.mark.parametrize("how", ["logout of all", "blacklist"])
def test_nothing_lives_on_when_a_logout_meets_an_exchange(exchange, how):
    first, second = exchange.replicas
    seen = set()
    for number in range(6):
        token = exchange.take()
        user = exchange.population.user(token["user_id"])
        session = first.log_in(user["username"], user["password"])

        def log_out():
            time.sleep(number * 0.002)
            if how == "blacklist":
                return first.post("blacklist/", {"refresh": token["refresh"]}).status
            return first.log_out(session.access, "ALL")

        with ThreadPoolExecutor(4) as pool:
            exchanges = [pool.submit(second.refresh, token["refresh"]) for _ in range(2)]
            logout = pool.submit(log_out)
            exchanges += [pool.submit(first.refresh, token["refresh"])]
            answers, done = [one.result() for one in exchanges], logout.result()
        assert done in ((200,) if how == "blacklist" else (1, 2)), done
        for answer in answers:
            seen.add(answer.codes)
            for replica in exchange.replicas:
                left = replica.refresh(answer.refresh or token["refresh"])
                assert left.codes == ("SESSION_ENDED",), (answer, left)
        assert second.refresh(token["refresh"]).codes == ("SESSION_ENDED",)
    assert seen <= {(), ("SESSION_ENDED",)}


def test_a_front_end_that_goes_on_with_an_exchanged_token_is_stale_and_later_a_reuse(exchange):
    token = exchange.take()
    session = exchange.replicas[0].refresh(token["refresh"])
    following = exchange.replicas[1].refresh(session.refresh)
    assert exchange.replicas[0].refresh(token["refresh"]).codes == ("REFRESH_TOKEN_STALE",)
    assert exchange.replicas[0].refresh(following.refresh).is_granted
    strict = exchange.service.start(*exchange.flags, "--foreign-grace", "0s")
    assert strict.refresh(token["refresh"]).codes == ("REFRESH_TOKEN_REUSED",)
    assert strict.refresh(following.refresh).codes == ("SESSION_ENDED",)
    strict.kill()


def test_no_token_is_exchanged_once_the_time_is_over(exchange):
    token = exchange.take()
    flags = exchange.service.accept(exchange.site, until=datetime.now(timezone.utc) - timedelta(seconds=1))
    with exchange.service.serving(*flags) as late:
        assert late.refresh(token["refresh"]).codes == ("REFRESH_TOKEN_INVALID",)
    with exchange.service.serving() as without:
        assert without.refresh(token["refresh"]).codes == ("REFRESH_TOKEN_INVALID",)
    assert exchange.replicas[0].refresh(token["refresh"]).is_granted
