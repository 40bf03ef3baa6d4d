"""Imports while site and service both serve: the changes of the site come, and those of the service stay."""

from dataclasses import dataclass

import pytest

from django_site import Population, Site, post
from service import Imported, Replica, Service

CHANGED_THERE, CHANGED_HERE = "violet lantern harbour 77", "tangerine orbit quartz 42"
CHANGE = """mutation($old: String!, $new: String!) {
  changePassword(input: { currentPassword: $old, newPassword: $new }) { errors { code } } }"""

# What is changed in the site; names are those of Later.users.
CHANGES = """
from django.contrib.auth import get_user_model
users = get_user_model().objects
for key in {passwords}:
    user = users.get(pk=key)
    user.set_password("violet lantern harbour 77")
    user.save()
users.filter(pk__in={inactive}).update(is_active=False)
users.filter(pk={address}).update(email="new-address@example.org")
new = users.create(username="newcomer", email="newcomer@example.com")
new.set_password("violet lantern harbour 77")
new.save()
print(new.pk)
"""


@dataclass
class Later:
    site: Site
    population: Population
    service: Service
    replica: Replica
    # By what becomes of them.
    users: dict
    tokens: dict
    imported: Imported
    newcomer: str

    def logs_in(self, name, password):
        return self.replica.log_in(self.users[name]["username"], password).is_granted


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def later(request, make_site, make_service):
    site, service = make_site(), make_service(request.param)
    population = site.populate(users=40, logins=20)
    path = site.directory / "export.ndjson"
    site.export()
    service.import_file(path, "--apply")
    replica = service.start(*service.accept(site))
    live = [token for token in population.of("live") if population.user(token["user_id"])["is_active"]
            and not population.user(token["user_id"])["is_deleted"]]
    names = ("untouched", "password", "password_after_a_login", "password_on_both_sides", "inactive",
             "inactive_after_exchange", "address", "logged_out", "logged_out_after_exchange")
    tokens = dict(zip(names, live, strict=False))
    assert len(tokens) == len(names)
    users = {name: population.user(token["user_id"]) for name, token in tokens.items()}

    # Some already live in the service.
    sessions = {}
    for name in ("untouched", "password_after_a_login", "password_on_both_sides"):
        sessions[name] = replica.log_in(users[name]["username"], users[name]["password"])
        assert sessions[name].is_granted
    session = sessions["password_on_both_sides"]
    done = replica.graphql(
        CHANGE, session.access, old=users["password_on_both_sides"]["password"], new=CHANGED_HERE)
    assert done["changePassword"]["errors"] == []
    for name in ("inactive_after_exchange", "logged_out_after_exchange"):
        sessions[name] = replica.refresh(tokens[name]["refresh"])
        assert sessions[name].is_granted

    # The site goes on.
    newcomer = site.shell(CHANGES.format(
        passwords=[users[name]["id"] for name in names if name.startswith("password")],
        inactive=[users[name]["id"] for name in names if name.startswith("inactive")],
        address=users["address"]["id"],
    )).strip()
    with site.serve() as url:
        for name in ("logged_out", "logged_out_after_exchange"):
            assert post(f"{url}/api/token/blacklist/", {"refresh": tokens[name]["refresh"]}).status == 200
        answer = post(f"{url}/api/token/", {"username": "newcomer", "password": CHANGED_THERE})
        tokens["newcomer"] = {"user_id": newcomer, "refresh": answer.body["refresh"]}
        rotated = post(f"{url}/api/token/refresh/", {"refresh": tokens["untouched"]["refresh"]})
        tokens["rotated_later"] = {"user_id": users["untouched"]["id"], "refresh": rotated.body["refresh"]}
    site.export()
    imported = service.import_file(path, "--apply")
    yield Later(site, population, service, replica, {**users, "newcomer": {"username": "newcomer"}},
                {**tokens, "sessions": sessions}, imported, newcomer)
    service.stop()


def test_the_report_counts_what_has_changed(later):
    left = sum(not user["is_deleted"] for user in later.population.users)
    # Passwords of two, the activity of two, and an address.
    assert later.imported.users == (1, 5, left - 5, 1) and later.imported.problems == []
    (note,) = later.imported.notes
    kept = ("CHANGED_ON_BOTH_SIDES", later.users["password_on_both_sides"]["id"], "password")
    assert (note["problem"], note["id"], note["value"]) == kept
    assert later.imported.summary["endedSessions"] >= 1
    assert later.service.status()["users"] == left + 1


def test_passwords_are_those_of_the_side_that_changed_them(later):
    for name in ("password", "password_after_a_login", "newcomer"):
        assert later.logs_in(name, CHANGED_THERE), name
    for name in ("password", "password_after_a_login"):
        assert not later.logs_in(name, later.users[name]["password"]), name
    assert later.logs_in("password_on_both_sides", CHANGED_HERE)
    assert not later.logs_in("password_on_both_sides", CHANGED_THERE)
    assert later.logs_in("untouched", later.users["untouched"]["password"])


def test_deactivated_accounts_are_out_at_once(later):
    for name in ("inactive", "inactive_after_exchange"):
        assert not later.logs_in(name, later.users[name]["password"])
        assert later.replica.refresh(later.tokens[name]["refresh"]).codes == ("SESSION_ENDED",)
    session = later.tokens["sessions"]["inactive_after_exchange"]
    assert later.replica.refresh(session.refresh).codes == ("SESSION_ENDED",)


def test_a_logout_in_the_site_is_one_in_the_service(later):
    assert later.replica.refresh(later.tokens["logged_out"]["refresh"]).codes == ("SESSION_ENDED",)
    assert later.replica.refresh(later.tokens["logged_out_after_exchange"]["refresh"]).codes == ("SESSION_ENDED",)


def test_logins_and_refreshes_of_later_are_exchanged(later):
    for name in ("newcomer", "rotated_later"):
        answer = later.replica.refresh(later.tokens[name]["refresh"])
        assert answer.is_granted and answer.external_id == later.tokens[name]["user_id"]
    assert later.replica.refresh(later.tokens["untouched"]["refresh"]).codes == ("SESSION_ENDED",)


def test_an_address_that_changed_in_the_site_is_the_one_to_log_in_by(later):
    user = later.users["address"]
    answer = later.replica.log_in("new-address@example.org", user["password"])
    assert answer.is_granted and answer.external_id == user["id"]


def test_sessions_of_others_go_on(later):
    session = later.tokens["sessions"]["untouched"]
    assert later.replica.refresh(session.refresh).is_granted


UNCLEAN = """
from django.contrib.auth import get_user_model
from datetime import datetime, timezone
users = get_user_model().objects
for name, email, year in (("Ada", "same@example.com", 2024), ("ada", "SAME@example.com", 2025)):
    user = users.create(username=name, email=email, last_login=datetime(year, 1, 1, tzinfo=timezone.utc))
    user.set_password("violet lantern harbour 77")
    user.save()
"""


@pytest.fixture(scope="module")
def unclean_site(make_site):
    site = make_site()
    population = site.populate(users=4, logins=0, unknown=True)
    site.shell(UNCLEAN)
    site.export()
    return site, population


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_an_unclean_site_is_reported_and_comes_only_on_request(unclean_site, make_service, kind):
    (site, population), service = unclean_site, make_service(kind)
    path = site.directory / "export.ndjson"
    for options in ((), ("--apply",)):
        refused = service.import_file(path, *options, check=False)
        assert refused.code == 1 and "cannot come over" in refused.stderr
        assert service.query("select count(*) from users") == [(0,)]
    assert {problem["id"] for problem in refused.problems} >= {"5", "6", "8"}
    done = service.import_file(path, "--apply", "--skip-bad")
    assert done.code == 0 and done.users[0] == 9
    assert done.problems == refused.problems
    names = dict(service.query("select external_id, username from users"))
    # The one that logged in last keeps its name and its address.
    assert (names["8"], names["9"]) == ("Ada-2", "ada")
    emails = dict(service.query("select external_id, email from users"))
    assert emails["8"] is None and emails["9"].lower() == "same@example.com"
    with service.serving() as replica:
        for name, user_id in (("Ada-2", "8"), ("ada", "9"), ("same@example.com", "9")):
            answer = replica.log_in(name, CHANGED_THERE)
            assert answer.is_granted and answer.external_id == user_id
        for user in population.users[:4]:
            assert replica.log_in(user["username"], user["password"]).is_granted
        for user in population.users[4:]:
            assert replica.log_in(user["username"], user["hash"] or "x").codes == ("INVALID_CREDENTIALS",)
