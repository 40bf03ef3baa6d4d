"""There and back: whoever is logged in stays so, in the site as in the service."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from django_site import ENVIRONMENTS, FILES, NEWEST, Site, get, post
from records import claims, of_kind
from service import Service

NEW_PASSWORD = "tangerine orbit quartz 42"
CHANGE = """mutation($old: String!, $new: String!) {
  changePassword(input: { currentPassword: $old, newPassword: $new }) { errors { code } } }"""
DEACTIVATE = """mutation($id: ID!) {
  setUserActive(input: { userId: $id, active: false }) { errors { code } } }"""


@dataclass
class RoundTrip:
    site: Site
    # In the order of the site; those that can log in.
    users: list
    service: Service
    url: str = ""
    # Tokens of the service by the account's id: to be accepted and to be refused by the site.
    live: list = field(default_factory=list)
    ended: list = field(default_factory=list)
    # Tokens of the site that were exchanged here, and that were not.
    exchanged: list = field(default_factory=list)
    untouched: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    inactive: list = field(default_factory=list)

    def back(self, token):
        return post(f"{self.url}/api/back/refresh/", {"refresh": token})

    def log_in(self, name, password):
        return post(f"{self.url}/api/token/", {self.site.login_field: name, "password": password})


TRIPS = [(NEWEST, "default", "postgres"), (NEWEST, "email", "sqlite"), (ENVIRONMENTS[0], "default", "sqlite")]


@pytest.fixture(scope="module", params=TRIPS, ids=lambda trip: f"{trip[0].name}-{trip[1]}-{trip[2]}")
def trip(request, make_site, make_service):
    environment, model, kind = request.param
    site, service = make_site(environment, model), make_service(kind)
    population = site.populate(users=60, logins=24)
    site.export()
    service.import_file(site.directory / "export.ndjson", "--apply")
    service.make_user("keeper", "--admin", "--email", "keeper@example.com")
    users = [user for user in population.users if user["can_log_in"] and user["is_active"] and not user["is_deleted"]]
    made = RoundTrip(site, users, service)
    replica = service.start(*service.accept(site))
    live_here(made, replica, population)
    service.stop()
    load_back(made)
    with site.serve() as url:
        made.url = url
        yield made


def live_here(made, replica, population):
    """What happens in the service between the move and the way back."""
    by_id = {user["id"]: user for user in made.users}
    recorded = {record["jti"] for record in of_kind("outstanding", made.site.export("again.ndjson"))}
    tokens = [token for token in population.of("live") if token["user_id"] in by_id
              and claims(token["refresh"])["jti"] in recorded]
    half = len(tokens) // 2
    made.untouched = tokens[half:]
    for number, token in enumerate(tokens[:half]):
        session = replica.refresh(token["refresh"])
        assert session.is_granted, session
        made.exchanged.append(token)
        # Some have not refreshed since, some once, some twice; some have logged out.
        for _ in range(number % 3):
            made.ended.append((token["user_id"], session.refresh))
            session = replica.refresh(session.refresh)
        if number % 5 == 4:
            replica.log_out(session.access)
            made.ended.append((token["user_id"], session.refresh))
        else:
            made.live.append((token["user_id"], session.refresh))
    without = [user for user in made.users if user["id"] not in {token["user_id"] for token in tokens}]
    assert len(without) >= 12
    for user in without[:6]:
        made.live.append((user["id"], replica.log_in(user["username"], user["password"]).refresh))
    keeper = replica.log_in("keeper", "tangerine-orbit-quartz-41")
    for user in without[6:9]:
        session = replica.log_in(user["username"], user["password"])
        other = replica.log_in(user["username"], user["password"])
        done = replica.graphql(CHANGE, session.access, old=user["password"], new=f"{NEW_PASSWORD} {user['id']}")
        assert done["changePassword"]["errors"] == []
        made.changed.append(user)
        made.live.append((user["id"], session.refresh))
        made.ended.append((user["id"], other.refresh))
    for user in without[9:12]:
        session = replica.log_in(user["username"], user["password"])
        assert replica.graphql(DEACTIVATE, keeper.access, id=session.user)["setUserActive"]["errors"] == []
        made.inactive.append(user)
        made.ended.append((user["id"], session.refresh))
    made.service.make_user("newcomer", "--email", "newcomer@example.com")
    made.live.append((None, replica.log_in("newcomer", "tangerine-orbit-quartz-41").refresh))


def load_back(made):
    """The commands of `sallyport help move`."""
    service, site = made.service, made.site
    loader = service.command("export", "django", "--print-loader").stdout
    assert service.command("export", "django", "--print-refresh-view").stdout == (
        FILES / "sallyport_refresh.py"
    ).read_text()
    path = site.directory / "sallyport.ndjson"
    service.command("export", "django", "--output", path)
    assert path.stat().st_mode & 0o777 == 0o600
    (site.directory / "refresh-key").write_text(service.command("keys", "export-refresh").stdout)
    site.manage("shell", stdin=loader, SALLYPORT_LOAD=path)


def test_each_live_token_of_the_service_works_once_in_the_site(trip):
    assert len(trip.live) >= 14
    for user_id, token in trip.live:
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(trip.back, [token] * 3))
        assert sorted(answer.status for answer in answers) == [200, 401, 401], answers
        answer = next(answer for answer in answers if answer.status == 200)
        me = get(f"{trip.url}/api/me", answer.body["access"])
        assert me.status == 200
        if user_id is not None:
            assert str(claims(answer.body["refresh"])["user_id"]) == user_id
        # From here on it is a session of the site.
        following = trip.back(answer.body["refresh"])
        assert following.status == 200 and "access" in following.body


def test_replaced_and_ended_tokens_of_the_service_are_refused(trip):
    assert len(trip.ended) > 8
    for user_id, token in trip.ended:
        assert trip.back(token).status == 401, user_id


def test_tokens_of_the_site_go_on_unless_they_were_exchanged(trip):
    assert trip.exchanged and trip.untouched
    for token in trip.exchanged:
        answer = trip.back(token["refresh"])
        assert (answer.status, answer.body["detail"]) == (401, "Token is blacklisted")
    for token in trip.untouched:
        assert trip.back(token["refresh"]).status == 200


def test_passwords_are_those_of_the_last_change(trip):
    assert len(trip.changed) == 3
    for user in trip.changed:
        assert trip.log_in(user["username"], f"{NEW_PASSWORD} {user['id']}").status == 200
        assert trip.log_in(user["username"], user["password"]).status == 401
    others = [user for user in trip.users if user not in trip.changed + trip.inactive]
    for user in others:
        assert trip.log_in(user["username"], user["password"]).status == 200, user


def test_accounts_that_were_deactivated_in_the_service_are_so_in_the_site(trip):
    assert len(trip.inactive) == 3
    for user in trip.inactive:
        assert trip.log_in(user["username"], user["password"]).status == 401


def test_an_account_of_the_service_is_one_of_the_site(trip):
    name = "newcomer@example.com" if trip.site.options["model"] == "email" else "newcomer"
    assert trip.log_in(name, "tangerine-orbit-quartz-41").status == 200


def test_the_export_has_neither_a_token_nor_a_key(trip):
    text = (trip.site.directory / "sallyport.ndjson").read_text()
    assert not any(part in text for _, token in trip.live for part in token.split("."))
    assert not any(key in text for key in (trip.site.directory / "refresh-key").read_text().split())
    assert json.loads(text.splitlines()[-1])["kind"] == "end"
