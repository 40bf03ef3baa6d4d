"""A site moves to the service: accounts, passwords and live refresh tokens."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import jsonschema
import pytest

from django_site import ENVIRONMENTS, NEWEST, ROOT, Population, Site
from records import claims, of_kind, seconds
from service import Imported, Service

SCHEMA = json.loads((ROOT / "src/kits/import-format.schema.json").read_text())

# Version, user model, database of the service, accounts, accounts that log in.
MOVES = [
    (NEWEST, "default", "sqlite", 1000, 300),
    (NEWEST, "default", "postgres", 1000, 300),
    (NEWEST, "email", "sqlite", 60, 24),
    (ENVIRONMENTS[0], "default", "postgres", 60, 24),
    (ENVIRONMENTS[1], "email", "postgres", 60, 24),
    (ENVIRONMENTS[3], "email", "sqlite", 60, 24),
]


@dataclass
class Move:
    site: Site
    population: Population
    records: list
    service: Service
    tried: Imported
    imported: Imported
    # Two processes of the service.
    replicas: list

    def can_come_in(self, token):
        user = self.population.user(token["user_id"])
        return user["is_active"] and not user["is_deleted"]

    def keeps_its_hash(self, user):
        """Whether the service goes on with the site's hash: its own does not take a longer password, and one that
        begins in the same way was right for bcrypt."""
        record = next(record for record in of_kind("user", self.records) if record["id"] == user["id"])
        password = user["password"]
        return len(password) > 256 or record["password"].startswith("bcrypt$") and len(password.encode()) > 72

    def everywhere(self, ask, items):
        """Calls `ask` with a replica and each item, by turns, several at once."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(ask, itertools.cycle(self.replicas), items))


@pytest.fixture(scope="module")
def sites(make_site):
    """Each site is populated once, and moves to both databases."""
    made = {}

    def make(environment, model, users, logins):
        if (environment, model) not in made:
            site = make_site(environment, model)
            made[environment, model] = site, site.populate(users, logins), site.export()
        return made[environment, model]

    return make


@pytest.fixture(
    scope="module", params=MOVES, ids=lambda move: f"{move[0].name}-{move[1]}-{move[2]}",
)
def move(request, sites, make_service):
    environment, model, kind, users, logins = request.param
    site, population, records = sites(environment, model, users, logins)
    service = make_service(kind)
    path = site.directory / "export.ndjson"
    tried = service.import_file(path)
    assert service.query("select count(*) from users") == [(0,)]
    imported = service.import_file(path, "--apply")
    now = datetime.now(timezone.utc)
    flags = service.accept(site, **{
        "issued-before": now,
        "until": now + timedelta(days=1),
        # Versions before 5.5 do not record the tokens of rotations.
        "require-outstanding": environment.simplejwt >= (5, 5),
    })
    replicas = [service.start(*flags, "--simplejwt-endpoints", "/api/token") for _ in range(2)]
    yield Move(site, population, records, service, tried, imported, replicas)
    service.stop()


def test_each_line_fits_the_schema(move):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for record in move.records:
        validator.validate(record)


def test_a_clean_site_has_no_problems_and_all_of_it_comes(move):
    left = [user for user in move.population.users if not user["is_deleted"]]
    for imported in (move.tried, move.imported):
        assert imported.code == 0 and imported.problems == [] and imported.users == (len(left), 0, 0, 0)
        summary = imported.summary
        assert summary["active"] == sum(user["is_active"] for user in left)
        blacklisted = {record["jti"] for record in of_kind("blacklisted", move.records)}
        owned = {record["jti"] for record in of_kind("outstanding", move.records) if record["user_id"] is not None}
        assert (summary["outstanding"], summary["blacklisted"]) == (len(owned - blacklisted), len(blacklisted))
    assert (move.tried.summary["applied"], move.imported.summary["applied"]) == (False, True)
    status = move.service.status()
    assert [status[name] for name in ("source", "users", "exchangedTokens")] == ["django", len(left), 0]
    last = max(seconds(record["expires_at"]) for record in of_kind("outstanding", move.records))
    assert abs(seconds(status["lastTokenExpiresAt"]) - last) < 2 * 86400


def test_first_logins_at_once_all_succeed(move):
    users = [user for user in move.population.users if user["can_log_in"] and user["is_active"]][-3:]
    for user in users:
        answers = move.everywhere(lambda replica, user: replica.log_in(user["username"], user["password"]), [user] * 8)
        assert all(answer.is_granted for answer in answers)


def test_every_right_password_logs_in_and_no_wrong_one(move):
    users = [user for user in move.population.users if user["password"] is not None]
    # The database has no part in it: a third of a large site is enough for the second one.
    tried = users[::3] if move.service.kind == "postgres" and len(users) > 100 else users
    wrong = move.everywhere(
        lambda replica, user: replica.post("", {"username": user["username"], "password": f"x{user['password']}"}), tried)
    refusal = {"detail": "No active account found with the given credentials"}
    assert all((answer.status, answer.body) == (401, refusal) for answer in wrong)
    right = move.everywhere(lambda replica, user: replica.log_in(user["username"], user["password"]), users)
    for user, answer in zip(users, right):
        if not user["is_active"] or user["is_deleted"]:
            assert answer.codes == ("INVALID_CREDENTIALS",), user
            continue
        assert answer.is_granted and answer.external_id == user["id"], (user, answer)
        # The services of the site find their user by it.
        assert claims(answer.access)["user_id"] == user["id"]
    left = [user for user in users if not user["is_deleted"]]
    kept = [user for user in left if not user["is_active"] or move.keeps_its_hash(user)]
    assert move.service.status()["legacyPasswords"] == len(kept) > 0
    again = [user for user in left if user["is_active"]][:30]
    answers = move.everywhere(lambda replica, user: replica.log_in(user["username"], user["password"]), again)
    assert all(answer.is_granted for answer in answers)


def test_accounts_without_a_password_do_not_log_in(move):
    without = [user for user in move.population.users if user["password"] is None][:10]
    assert without
    for user in without:
        for password in (user["hash"], "!", "x" * 8):
            assert move.replicas[0].log_in(user["username"], password).codes == ("INVALID_CREDENTIALS",)


def test_each_live_token_is_exchanged_for_one_session(move):
    live = [token for token in move.population.of("live") if move.can_come_in(token)]
    if move.site.environment.simplejwt < (5, 0):
        # Without a record and without `iat` nobody knows how old they are.
        rotated = {token["user_id"] for token in move.population.of("rotated")}
        successors = [token for token in live if token["user_id"] in rotated]
        live = [token for token in live if token not in successors]
        for token in successors:
            assert move.replicas[0].refresh(token["refresh"]).codes == ("REFRESH_TOKEN_INVALID",)
    before = move.service.status()["exchangedTokens"]
    first, second = move.replicas
    with ThreadPoolExecutor(4) as pool:
        answers = [[pool.submit(replica.refresh, token["refresh"]) for replica in (first, second)] for token in live]
        answers = [[one.result() for one in pair] for pair in answers]
    sessions = set()
    for token, (one, other) in zip(live, answers):
        assert one.is_granted and one.external_id == token["user_id"], (token, one)
        assert (one.refresh, one.sid) == (other.refresh, other.sid)
        assert claims(one.access)["user_id"] == token["user_id"]
        payload = claims(token["refresh"])
        issued_at = payload.get("iat", payload["exp"] - 86400)
        assert abs(claims(one.access)["auth_time"] - issued_at) <= 1
        sessions.add(one.sid)
    assert len(sessions) == len(live) > 0
    assert move.service.status()["exchangedTokens"] - before == len(live)
    # Whoever goes on by the new token has left the old one behind.
    for token, (one, _) in list(zip(live, answers))[:10]:
        assert first.refresh(one.refresh).is_granted
        assert second.refresh(token["refresh"]).codes == ("REFRESH_TOKEN_STALE",)


def test_tokens_that_were_dead_there_are_dead_here(move):
    expected = {"rotated": "SESSION_ENDED", "blacklisted": "SESSION_ENDED", "expired": "REFRESH_TOKEN_EXPIRED"}
    details = {"SESSION_ENDED": "Token is blacklisted", "REFRESH_TOKEN_EXPIRED": "Token is expired"}
    seen = set()
    for token in move.population.tokens:
        code = expected.get(token["state"])
        if move.population.user(token["user_id"])["is_deleted"]:
            assert not move.replicas[0].refresh(token["refresh"]).is_granted
            seen.add("deleted")
        elif code:
            assert move.replicas[0].refresh(token["refresh"]).codes == (code,), token
            answer = move.replicas[1].post("refresh/", {"refresh": token["refresh"]})
            assert (answer.status, answer.body) == (401, {"detail": details[code], "code": "token_not_valid"})
            seen.add(token["state"])
        elif not move.can_come_in(token):
            assert move.replicas[0].refresh(token["refresh"]).codes == ("SESSION_ENDED",), token
            answer = move.replicas[1].post("refresh/", {"refresh": token["refresh"]})
            assert answer.status == 401
            seen.add("inactive")
    assert seen == {*expected, "inactive", "deleted"}


def test_an_import_that_is_repeated_changes_nothing(move):
    again = move.service.import_file(move.site.directory / "export.ndjson", "--apply")
    assert again.problems == [] and again.users == (0, 0, move.imported.users[0], 0)
    assert again.summary["endedSessions"] == 0
