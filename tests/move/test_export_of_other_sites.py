"""sallyport_export.py in sites with unusual settings and user models, and in large and busy ones."""

import os
import subprocess
import time
import uuid
from datetime import datetime, timezone

import pytest

from django_site import ENVIRONMENTS, FILES, NEWEST
from records import claims, of_kind, seconds

NEW_DATABASE = """
import os, psycopg
connection = psycopg.connect(os.environ["TEST_POSTGRES_URL"], autocommit=True)
connection.execute('create database "{name}"')
"""


# One for each version of SimpleJWT.
@pytest.mark.parametrize("environment", ENVIRONMENTS[::2], ids=lambda environment: environment.name)
def test_naive_times_come_in_utc(make_site, environment):
    site = make_site(environment, use_tz=False)
    population = site.populate(users=20, logins=12)
    records = site.export()
    assert records[0]["settings"]["use_tz"] is False
    # population/management/commands/populate.py says when they joined; New York had summer time then.
    joined = seconds(of_kind("user", records)[0]["date_joined"])
    assert datetime.fromtimestamp(joined, timezone.utc).isoformat() == "2024-05-27T12:00:00+00:00"
    tokens = {claims(token["refresh"])["jti"]: claims(token["refresh"]) for token in population.tokens}
    outstanding = of_kind("outstanding", records)
    assert len(outstanding) > 8
    for record in outstanding:
        assert seconds(record["expires_at"]) == tokens[record["jti"]]["exp"]
        assert abs(seconds(record["created_at"]) - time.time()) < 300
    blacklisted = of_kind("blacklisted", records)
    assert blacklisted
    for record in blacklisted:
        assert abs(seconds(record["blacklisted_at"]) - time.time()) < 300


def test_a_site_without_the_blacklist_app_has_users_only(make_site):
    site = make_site(blacklist_app=False)
    site.manage("populate", "5")
    records = site.export()
    assert records[0]["settings"]["blacklist_app"] is False
    assert records[-1] == {"kind": "end", "users": 5, "outstanding": 0, "blacklisted": 0}


def test_ids_are_those_of_the_claim_and_properties_and_constants_count_as_columns(make_site):
    site = make_site(model="computed")
    population = site.populate(users=30, logins=10)
    records = site.export()
    settings = records[0]["settings"]
    names = ("user_id_field", "username_field", "email_field")
    assert [settings[name] for name in names] == ["public_id", "handle", "address"]
    users = {user["id"]: user for user in of_kind("user", records)}
    for expected in population.users:
        if expected["is_deleted"]:
            continue
        user = users[expected["id"]]
        assert uuid.UUID(user["id"])
        same = ("username", "is_staff", "is_superuser")
        assert {name: user[name] for name in same} == {name: expected[name] for name in same}
        assert user["is_active"] is True and user["groups"] == [] and user["date_joined"] is None
    assert sum(user["is_superuser"] for user in users.values()) == 1
    owners = {record["user_id"] for record in of_kind("outstanding", records)}
    assert len(owners) > 5 and owners - {None} <= users.keys()


def test_addresses_that_allauth_verified_are_verified(make_site):
    site = make_site(allauth=True)
    population = site.populate(users=4, logins=0)
    site.shell("""
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
users = list(get_user_model().objects.order_by("pk"))
EmailAddress.objects.create(user=users[0], email=users[0].email.upper(), verified=True, primary=True)
EmailAddress.objects.create(user=users[1], email=users[1].email, verified=False, primary=True)
EmailAddress.objects.create(user=users[3], email="other@example.com", verified=True, primary=True)
""")
    verified = [user["username"] for user in of_kind("user", site.export()) if user["email_verified"]]
    assert verified == [population.users[0]["username"]]


def test_hashes_that_nothing_can_check_come_as_they_are(make_site):
    site = make_site()
    population = site.populate(users=0, logins=0, unknown=True)
    hashes = {user["username"]: user["password"] for user in of_kind("user", site.export())}
    assert hashes == {user["username"]: user["hash"] for user in population.users}
    assert "" in hashes.values()


def test_settings_are_told_as_they_are_and_keys_are_not(make_site):
    own = {"SIGNING_KEY": "another-secret-0123456789abcdef0123456789abcdef", "AUDIENCE": ["one", "two"],
           "ISSUER": "https://old.example.com", "LEEWAY": 15, "USER_ID_CLAIM": "uid",
           "CHECK_REVOKE_TOKEN": True, "ALGORITHM": "HS512", "USER_AUTHENTICATION_RULE": "population.rule.admits"}
    site = make_site(simple_jwt=own)
    settings = site.export()[0]["settings"]
    told = ("audience", "issuer", "leeway_seconds", "user_id_claim", "check_revoke_token", "algorithm")
    assert [settings[name] for name in told] == [
        ["one", "two"], "https://old.example.com", 15, "uid", True, "HS512",
    ]
    assert settings["custom_user_authentication_rule"] is True
    assert own["SIGNING_KEY"] not in (site.directory / "export.ndjson").read_text()


FILL = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute('''
        with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
        insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff,
                               is_active, date_joined)
        select 'pbkdf2_sha256$600000$abcdefghijklmnopqrstuv$' || hex(randomblob(22)), false, 'user' || i, '',
               '', 'user' || i || '@example.com', false, true, '2025-01-01 00:00:00' from n''')
    cursor.execute('''
        with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
        insert into token_blacklist_outstandingtoken (jti, token, created_at, expires_at, user_id)
        select lower(hex(randomblob(16))), hex(randomblob(200)), '2025-01-01 00:00:00',
               '2999-01-01 00:00:00', i from n''')
"""


def peak_memory(site):
    """Megabytes of an export at its peak."""
    path = site.directory / "large.ndjson"
    with open(FILES / "sallyport_export.py") as code, open(site.directory / "log", "w") as log:
        process = subprocess.Popen(
            site.command("shell"), stdin=code, stdout=log, stderr=log, cwd=site.directory,
            env=site.variables(SALLYPORT_EXPORT=path),
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, (site.directory / "log").read_text()
    with open(path) as lines:
        assert sum(1 for _ in lines) > 2
    return usage.ru_maxrss / 1024


def test_an_export_needs_no_more_memory_for_100_times_the_users(make_site):
    # With `debug`, Django keeps the text of queries.
    small, large = make_site(debug=True), make_site(debug=True)
    small.shell(FILL.format(count=1_000))
    large.shell(FILL.format(count=100_000))
    growth = peak_memory(large) - peak_memory(small)
    assert growth < 8, f"{growth} MB"


@pytest.fixture(params=["sqlite", "postgres"])
def busy_site(request, make_site):
    """A site whose database lets others write while somebody reads."""
    if request.param == "postgres":
        server = os.environ["TEST_POSTGRES_URL"]
        name = f"move_{uuid.uuid4().hex}"
        subprocess.run([NEWEST.python, "-c", NEW_DATABASE.format(name=name)], check=True)
        return make_site(database_url=f"{server.rsplit('/', 1)[0]}/{name}")
    site = make_site()
    site.shell("from django.db import connection; connection.cursor().execute('pragma journal_mode = wal')")
    return site


def test_an_export_shows_one_moment_though_others_write_meanwhile(busy_site):
    site = busy_site
    site.shell("""
from django.contrib.auth import get_user_model
model = get_user_model()
model.objects.bulk_create(model(username=f"user{number}", password="x" * 80) for number in range(1500))
""")
    pipe = site.directory / "pipe"
    os.mkfifo(pipe)
    with open(FILES / "sallyport_export.py") as code, open(site.directory / "log", "w") as log:
        process = subprocess.Popen(
            site.command("shell"), stdin=code, stdout=log, stderr=log, cwd=site.directory,
            env=site.variables(SALLYPORT_EXPORT=pipe),
        )
        with open(pipe) as lines:
            # The export waits, because the pipe holds only some of the lines.
            first = [next(lines) for _ in range(3)]
            site.shell("""
from django.contrib.auth import get_user_model
get_user_model().objects.update(password="changed meanwhile")
get_user_model().objects.create(username="new")
""")
            rest = lines.readlines()
    assert process.wait() == 0, (site.directory / "log").read_text()
    assert '"users":1500,' in rest[-1]
    assert not any("changed meanwhile" in line for line in first + rest)
