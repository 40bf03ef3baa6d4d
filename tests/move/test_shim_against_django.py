"""The endpoints at --simplejwt-endpoints answer as Django with SimpleJWT does."""

import json

import pytest

import simplejwt_answers
from django_site import NEWEST, post
from records import claims

assert NEWEST.simplejwt == (5, 5, 1)


@pytest.fixture(scope="module", params=[("default", "sqlite"), ("email", "postgres")], ids=lambda pair: "-".join(pair))
def pair(request, make_site, make_service):
    """A site and a service with its accounts, both served."""
    model, kind = request.param
    site, service = make_site(model=model), make_service(kind)
    population = site.populate(users=16, logins=10)
    site.export()
    service.import_file(site.directory / "export.ndjson", "--apply")
    replica = service.start(*service.accept(site), "--simplejwt-endpoints", "/api/token")
    with site.serve() as url:
        yield site, population, f"{url}/api/token", f"{replica.url}/api/token"
    service.stop()


def test_every_answer_is_the_same(pair):
    site, population, theirs, ours = pair
    user = next(user for user in population.users if user["can_log_in"] and user["is_active"] and user["password"].isascii())
    answers = [
        list(simplejwt_answers.answers(base, user["username"], user["password"], site.login_field))
        for base in (theirs, ours)
    ]
    assert len(answers[0]) == len(answers[1]) > 150
    different = [(their, our) for their, our in zip(*answers) if their != our]
    assert not different, "\n".join(f"{json.dumps(their)}\n{json.dumps(our)}" for their, our in different)


@pytest.fixture(scope="module")
def others(pair):
    """Accounts that have logged in nowhere since the move, of each base."""
    _, population, *_ = pair
    return [user for user in population.users if user["can_log_in"] and user["is_active"] and not user["is_deleted"]][-3:]


def test_the_tokens_of_a_login_have_the_claims_of_simplejwt(pair, others):
    site, _, theirs, ours = pair
    user = others[0]
    pairs = [
        post(f"{base}/", {site.login_field: user["username"], "password": user["password"]}).body
        for base in (theirs, ours)
    ]
    for kind in ("access", "refresh"):
        their, our = (claims(tokens[kind]) for tokens in pairs)
        assert our["token_type"] == their["token_type"] == kind
        assert {"jti", "exp", "iat", "token_type"} <= our.keys()
        assert type(our["jti"]) is str and our["exp"] > our["iat"]
    their, our = (claims(tokens["access"]) for tokens in pairs)
    assert our["user_id"] == their["user_id"] == user["id"]


def test_live_tokens_of_the_site_get_the_same_answers_at_both(pair):
    """A token of before is exchanged by an app that knows nothing of the service."""
    _, population, theirs, ours = pair
    live = [token for token in population.of("live")
            if population.user(token["user_id"])["is_active"] and not population.user(token["user_id"])["is_deleted"]]
    for token in live[:4]:
        answers = [post(f"{base}/refresh/", {"refresh": token["refresh"]}) for base in (ours, theirs)]
        assert [(answer.status, sorted(answer.body)) for answer in answers] == [(200, ["access", "refresh"])] * 2
        assert claims(answers[0].body["access"])["user_id"] == claims(answers[1].body["access"])["user_id"]
        following = [post(f"{base}/refresh/", {"refresh": answer.body["refresh"]})
                     for base, answer in zip((ours, theirs), answers)]
        assert [(answer.status, sorted(answer.body)) for answer in following] == [(200, ["access", "refresh"])] * 2


def test_dead_tokens_of_the_site_get_the_same_answers_at_both(pair):
    """Rotated, blacklisted and expired ones, and those of deactivated accounts."""
    _, population, theirs, ours = pair
    seen = set()
    for token in population.tokens:
        user = population.user(token["user_id"])
        what = token["state"] if user["is_active"] else f"{token['state']} and inactive"
        if what == "live" or user["is_deleted"]:
            continue
        views = (("refresh/", "refresh"), ("verify/", "token"), ("blacklist/", "refresh"))
        for path, name in views[:1] if what == "live and inactive" else views:
            our, their = (post(f"{base}/{path}", {name: token["refresh"]}) for base in (ours, theirs))
            assert their == our, (what, path, their, our)
        seen.add(what)
    assert {"live and inactive", "rotated", "blacklisted", "expired"} <= seen


def test_live_tokens_of_accounts_that_are_gone_are_refused(pair):
    """SimpleJWT looks at no account when it verifies and blacklists, and fails at a refresh if it is deleted."""
    _, population, _, ours = pair
    gone = [token for token in population.of("live") if not population.user(token["user_id"])["is_active"]]
    gone += [token for token in population.of("live") if population.user(token["user_id"])["is_deleted"]]
    assert len(gone) == 2
    for token in gone:
        for path, name in (("refresh/", "refresh"), ("verify/", "token"), ("blacklist/", "refresh")):
            answer = post(f"{ours}/{path}", {name: token["refresh"]})
            assert answer.status == (400 if path == "verify/" and token is gone[0] else 401), (path, answer)


def test_without_rotation_a_client_keeps_its_token(make_site, make_service):
    site, service = make_site(simple_jwt={"ROTATE_REFRESH_TOKENS": False}), make_service("sqlite")
    # What a population does needs rotation.
    users = site.populate(users=4, logins=0).users
    with site.serve() as url:
        credentials = {"username": users[0]["username"], "password": users[0]["password"]}
        token = post(f"{url}/api/token/", credentials).body["refresh"]
        site.export()
        service.import_file(site.directory / "export.ndjson", "--apply")
        replicas = [service.start(*service.accept(site), "--simplejwt-endpoints", "/api/token") for _ in range(2)]
        for _ in range(3):
            for base in (f"{url}/api/token/", *(f"{replica.url}/api/token/" for replica in replicas)):
                answer = post(f"{base}refresh/", {"refresh": token})
                assert answer.status == 200 and sorted(answer.body) == ["access"]
                assert claims(answer.body["access"])["user_id"] == users[0]["id"]
        # Also of a login here.
        token = replicas[0].post("", credentials).body["refresh"]
        for replica in replicas * 2:
            answer = replica.post("refresh/", {"refresh": token})
            assert answer.status == 200 and sorted(answer.body) == ["access"]
    assert service.query("select count(*) from sessions") == [(2,)]
    service.stop()
