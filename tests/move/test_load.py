"""sallyport_load.py: users and tokens of the service come back into the site."""

import sqlite3

import pytest

from django_site import ENVIRONMENTS, NEWEST, get, post
from records import claims

HEADER = {"format": "sallyport-import", "version": 1, "source": "sallyport", "exported_at": "2026-01-01T00:00:00Z"}
# Of the password "correct horse", with the service's own parameters.
ARGON2 = (
    "argon2$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$"
    "oVLnFW4Vdd+KZaNyuHNZYDlTeeRDSkyoACLFGAAhgLc"
)
NEW_PASSWORD = "correct horse"
CREATED_AT, EXPIRES_AT = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00.123456Z"

VERSIONS = [(ENVIRONMENTS[0], "default"), (NEWEST, "email")]


@pytest.fixture(params=VERSIONS, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def old_site(request, make_site):
    """A site with six accounts, none of which has a token."""
    site = make_site(*request.param)
    return site, site.populate(users=6, logins=0).users


def file_of(*records):
    """A whole file with these records."""
    kinds = [record["kind"] for record in records]
    counts = {"users": "user", "sessions": "session", "blacklisted": "blacklisted"}
    end = {"kind": "end", **{name: kinds.count(kind) for name, kind in counts.items()}}
    return [HEADER, *records, end]


def user(user_id, **values):
    return {"kind": "user", "id": user_id, "username": None, "email": None, "password": None, "is_active": True, **values}


def session(jti, user_id, **values):
    return {"kind": "session", "jti": jti, "user_id": user_id, "created_at": CREATED_AT, "expires_at": EXPIRES_AT, **values}


def rows(site, query):
    connection = sqlite3.connect(site.database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def table(site):
    return "email_accounts_emailuser" if site.options["model"] == "email" else "auth_user"


def log_in(site, url, name, password):
    field = "email" if site.options["model"] == "email" else "username"
    return post(f"{url}/api/token/", {field: name, "password": password})


def test_passwords_names_addresses_and_deactivations_come_back(old_site):
    site, (_, moved, inactive, kept, *_) = old_site
    done = site.load(file_of(
        user(moved["id"], username="renamed", email="moved@example.org", password=ARGON2),
        user(inactive["id"], is_active=False),
        user(kept["id"], username=kept["username"], email="", password=""),
    ))
    assert "2 users changed" in done.stdout and "1 users unchanged" in done.stdout
    name = "moved@example.org" if site.options["model"] == "email" else "renamed"
    with site.serve() as url:
        answer = log_in(site, url, name, NEW_PASSWORD)
        assert answer.status == 200, answer
        # The same account as before, with a token of the site.
        assert str(claims(answer.body["access"])["user_id"]) == moved["id"]
        assert get(f"{url}/api/me", answer.body["access"]).status == 200
        assert log_in(site, url, moved["username"], moved["password"]).status == 401
        assert log_in(site, url, inactive["username"], inactive["password"]).status == 401
        assert log_in(site, url, kept["username"], kept["password"]).status == 200
    emails = dict(rows(site, f"select email, count(*) from {table(site)} group by email"))
    assert emails["moved@example.org"] == 1 and kept["email"] in emails


def test_accounts_that_were_deleted_or_lost_their_password_cannot_log_in(old_site):
    site, accounts = old_site
    deleted, stripped = [account for account in accounts if account["can_log_in"]][:2]
    records = file_of(
        {"kind": "user", "id": deleted["id"], "is_active": False},
        {"kind": "user", "id": stripped["id"], "password": "!"},
    )
    assert "2 users changed" in site.load(records).stdout
    assert "2 users unchanged" in site.load(records).stdout
    with site.serve() as url:
        for account in (deleted, stripped):
            assert log_in(site, url, account["username"], account["password"]).status == 401
    names = [name for name, in rows(site, f"select email from {table(site)}")]
    assert deleted["email"] in names and stripped["email"] in names


def test_a_second_load_of_a_file_changes_nothing(old_site):
    site, (first, *_) = old_site
    records = file_of(
        user(first["id"], password=ARGON2),
        user(None, username="new", email="new@example.com", password=ARGON2),
        session("0199b4a8-2000-7000-8000-000000000001", first["id"]),
    )
    site.load(records)
    queries = (
        f"select * from {table(site)}",
        "select jti, token, user_id, created_at, expires_at from token_blacklist_outstandingtoken",
    )
    before = [rows(site, query) for query in queries]
    done = site.load(records)
    assert "2 users unchanged" in done.stdout and "1 sessions" in done.stdout
    assert [rows(site, query) for query in queries] == before


def test_an_account_that_the_service_made_is_created_without_rights(old_site):
    site, _ = old_site
    new = user(None, username="new", email="new@example.com", password=ARGON2, is_staff=True,
               is_superuser=True, groups=["authors"])
    assert "1 users created" in site.load(file_of(new, session("a-session", None, username="new"))).stdout
    with site.serve() as url:
        name = "new@example.com" if site.options["model"] == "email" else "new"
        assert log_in(site, url, name, NEW_PASSWORD).status == 200
    found = rows(site, f"select is_active, is_staff, is_superuser from {table(site)} where email = 'new@example.com'")
    assert found == [(1, 0, 0)]
    joined = f"join {table(site)} on {table(site)}.id = user_id where jti = 'a-session'"
    assert rows(site, f"select email from token_blacklist_outstandingtoken {joined}") == [("new@example.com",)]


def test_a_name_alone_never_reaches_an_account_that_was_there_before(old_site):
    site, (owner, *_) = old_site
    before = rows(site, f"select * from {table(site)}")
    taken = user(None, username=owner["username"], email=owner["email"], password=ARGON2, is_active=False)
    done = site.load(file_of(taken, session("jti", None, username=owner["username"])), check=False)
    assert done.returncode == 1 and "2 problems" in done.stdout
    assert f"There is another account with the name {owner['username']}." in done.stderr
    assert rows(site, f"select * from {table(site)}") == before
    assert rows(site, "select * from token_blacklist_outstandingtoken") == []


def test_nobody_gets_rights(old_site):
    site, (owner, other, *_) = old_site
    assert owner["is_superuser"] and not other["is_superuser"]
    site.load(file_of(
        user(other["id"], password=ARGON2, is_staff=True, is_superuser=True, groups=["editors"]),
        user(owner["id"], password=ARGON2, is_staff=False, is_superuser=False, groups=[]),
    ))
    rights = rows(site, f"select is_superuser, is_staff from {table(site)} where password = '{ARGON2}'")
    assert sorted(rights) == [(0, 0), (1, 1)]


def test_a_password_counts_although_the_new_name_is_taken_or_too_long(old_site):
    site, (first, second, third, *_) = old_site
    done = site.load(
        file_of(
            user(second["id"], username=first["username"], email=first["email"], password=ARGON2),
            user(third["id"], username="x" * 300, email="x" * 300 + "@example.com", password=ARGON2),
            user("no-such-id", password=ARGON2),
        ),
        check=False,
    )
    assert done.returncode == 1 and "3 problems" in done.stdout, done.stdout
    assert "There is no account with the id no-such-id." in done.stderr and " is too long, for " in done.stderr
    with site.serve() as url:
        for account in (second, third):
            assert log_in(site, url, account["username"], NEW_PASSWORD).status == 200


def test_an_incomplete_or_foreign_file_changes_nothing(old_site):
    site, (first, *_) = old_site
    whole = file_of(user(first["id"], password=ARGON2), user(None, username="new", email="new@example.com"))
    before = rows(site, f"select * from {table(site)}")
    refused = {
        "it is not complete": [whole[:-1], whole[:2] + whole[3:]],
        "there are lines after its end": [whole + whole[1:2]],
        "it has records of the unknown kind 'role'": [whole[:1] + [{"kind": "role"}] + whole[1:]],
        "it is not what `sallyport export django` writes": [
            [dict(HEADER, source="django")] + whole[1:], [dict(HEADER, version=2)] + whole[1:],
        ],
        "line 2 is not a record": [whole[:1] + ["text"] + whole[1:]],
    }
    for reason, files in refused.items():
        for records in files:
            done = site.load(records, check=False)
            assert done.returncode == 1 and f"is not loaded: {reason}\n" in done.stderr, done.stderr
    assert rows(site, f"select * from {table(site)}") == before


def test_sessions_of_an_earlier_load_are_forgotten_and_those_that_were_used_are_not(old_site):
    site, (first, *_) = old_site
    site.load(file_of(session("ended", first["id"]), session("used", first["id"]), session("live", first["id"])))
    site.shell("""
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
BlacklistedToken.objects.create(token=OutstandingToken.objects.get(jti="used"))
""")
    done = site.load(file_of(session("live", first["id"]), session("used", first["id"]), session("new", first["id"])))
    assert "2 sessions\n" in done.stdout and "1 sessions used before" in done.stdout
    query = """select jti, token, created_at, expires_at, blacklistedtoken.id is not null
               from token_blacklist_outstandingtoken left join token_blacklist_blacklistedtoken blacklistedtoken
               on token_id = token_blacklist_outstandingtoken.id order by jti"""
    times = ("2026-01-01 00:00:00", "2999-01-01 00:00:00.123456")
    assert rows(site, query) == [("live", "", *times, 0), ("new", "", *times, 0), ("used", "", *times, 1)]


def test_tokens_of_the_site_that_the_service_has_ended_are_dead(old_site):
    site, accounts = old_site
    account = next(account for account in accounts if account["can_log_in"])
    with site.serve() as url:
        kept, ended = (log_in(site, url, account["username"], account["password"]).body for _ in range(2))
        line = {"kind": "blacklisted", "jti": claims(ended["refresh"])["jti"], "blacklisted_at": CREATED_AT,
                "expires_at": EXPIRES_AT}
        unknown = dict(line, jti="of-a-token-without-a-row")
        assert "2 tokens blacklisted" in site.load(file_of(line, unknown)).stdout
        assert post(f"{url}/api/token/refresh/", {"refresh": ended["refresh"]}).status == 401
        assert post(f"{url}/api/token/refresh/", {"refresh": kept["refresh"]}).status == 200


def test_an_id_that_is_not_the_primary_key_finds_its_account(make_site):
    site = make_site(model="computed")
    first, second, *_ = site.populate(users=3, logins=0).users
    done = site.load(
        file_of(
            user(first["id"], password=ARGON2),
            # This model has no column for it.
            user(second["id"], is_active=False),
            user(None, username="new", email="new@example.com", password=ARGON2),
            session("jti", first["id"]),
        ),
        check=False,
    )
    assert "1 users changed" in done.stdout and "1 users created" in done.stdout
    assert done.stderr == f"The user model has no column is_active, for {second['username']}.\n"
    where = "where password = (select password from computed_accounts_computeduser where handle = 'new')"
    handles = rows(site, f"select handle from computed_accounts_computeduser {where} order by handle")
    assert handles == [("new",), (first["username"],)]
    owner = "join computed_accounts_computeduser on number = user_id"
    assert rows(site, f"select handle from token_blacklist_outstandingtoken {owner}") == [(first["username"],)]


def test_many_sessions_are_loaded_in_batches(make_site):
    site = make_site()
    first, *_ = site.populate(users=1, logins=0).users
    sessions = [session(f"jti-{number}", first["id"]) for number in range(1203)]
    assert "1203 sessions\n" in site.load(file_of(*sessions)).stdout
    assert "1202 sessions\n" in site.load(file_of(*sessions[1:])).stdout
    assert rows(site, "select count(*) from token_blacklist_outstandingtoken") == [(1202,)]


def test_times_are_those_of_simplejwt_where_they_are_naive(make_site):
    site = make_site(use_tz=False)
    first, *_ = site.populate(users=1, logins=0).users
    site.load(file_of(session("jti", first["id"])))
    times = rows(site, "select created_at, expires_at from token_blacklist_outstandingtoken")
    assert times == [("2026-01-01 00:00:00", "2999-01-01 00:00:00.123456")]


def test_a_site_without_the_blacklist_app_takes_users_and_no_tokens(make_site):
    site = make_site(blacklist_app=False)
    first, *_ = site.populate(users=1, logins=0).users
    assert "1 users changed" in site.load(file_of(user(first["id"], password=ARGON2))).stdout
    done = site.load(file_of(user(first["id"], is_active=False), session("jti", first["id"])), check=False)
    assert done.returncode == 1 and "blacklist app is not installed" in done.stderr
    assert rows(site, "select password, is_active from auth_user") == [(ARGON2, 1)]
