"""sallyport_export.py in sites of every version."""

import json

import pytest

from django_site import FILES, SECRET_KEY
from records import claims, of_kind, seconds


@pytest.fixture(scope="module")
def exported(populated):
    site, population = populated
    return site, population, site.export()


def test_the_header_describes_the_site_and_its_tokens(exported):
    site, _, records = exported
    header = records[0]
    assert list(header) == ["format", "version", "source", "exported_at", "settings"]
    assert [header["format"], header["version"], header["source"]] == ["sallyport-import", 1, "django"]
    assert seconds(header["exported_at"])
    settings = header["settings"]
    assert settings.pop("django_version").startswith(site.environment.name.split("-")[3])
    # New in 5.0 or later.
    newer = {
        "leeway_seconds": 0,
        "check_revoke_token": False,
        "revoke_token_claim": "hash_password",
        "check_user_is_active": True,
    }
    assert settings == {
        **{name: value for name, value in newer.items() if name in settings},
        "username_field": "email" if site.options["model"] == "email" else "username",
        "email_field": "email",
        "user_id_field": "id",
        "user_id_claim": "user_id",
        "jti_claim": "jti",
        "token_type_claim": "token_type",
        "algorithm": "HS256",
        "issuer": None,
        "audience": None,
        "access_token_lifetime_seconds": 300.0,
        "refresh_token_lifetime_seconds": 86400.0,
        "rotate_refresh_tokens": True,
        "blacklist_after_rotation": True,
        "update_last_login": False,
        "blacklist_app": True,
        "custom_user_authentication_rule": False,
        "simplejwt_version": site.environment.name.split("-")[1],
        "use_tz": True,
    }
    assert site.environment.simplejwt < (5, 5) or newer.keys() <= settings.keys()


def test_every_account_comes_with_its_fields(exported):
    site, population, records = exported
    users = {user["id"]: user for user in of_kind("user", records)}
    left = [user for user in population.users if not user["is_deleted"]]
    assert len(users) == len(left) == len(of_kind("user", records))
    for expected in left:
        user = users[expected["id"]]
        same = ("username", "is_active", "is_staff", "is_superuser", "groups")
        assert {name: user[name] for name in same} == {name: expected[name] for name in same}
        assert user["email"] == (expected["email"] or None)
        assert user["email_verified"] is False
        assert seconds(user["date_joined"]) > 0
        assert user["last_login"] is None or seconds(user["last_login"]) > 0
        has_logged_in = any(token["user_id"] == user["id"] for token in population.tokens)
        assert has_logged_in or user["password"] == expected["hash"]
    assert any(not user["is_active"] for user in users.values())
    assert any(len(user["groups"]) == 2 for user in users.values())


def test_each_token_that_can_be_refreshed_comes_with_its_owner_and_times(exported):
    site, population, records = exported
    outstanding = {record["jti"]: record for record in of_kind("outstanding", records)}
    blacklisted = {record["jti"]: record for record in of_kind("blacklisted", records)}
    assert len(outstanding) == len(of_kind("outstanding", records))
    rotated = {token["user_id"] for token in population.of("rotated")}
    deleted = {user["id"] for user in population.users if user["is_deleted"]}
    for token in population.tokens:
        payload = claims(token["refresh"])
        record = outstanding.get(payload["jti"])
        if token["user_id"] in deleted and site.environment.simplejwt < (5, 0):
            # The rows were deleted with the account.
            assert record is None
            continue
        if token["state"] == "expired":
            assert record is None and payload["jti"] not in blacklisted
            continue
        assert (payload["jti"] in blacklisted) == (token["state"] in ("rotated", "blacklisted"))
        if record is None:
            # A successor, which versions before 5.5 do not record.
            assert token["state"] == "live" and token["user_id"] in rotated
            assert site.environment.simplejwt < (5, 5)
            continue
        assert record["user_id"] == (None if token["user_id"] in deleted else token["user_id"])
        assert seconds(record["expires_at"]) == payload["exp"]
        assert abs(seconds(record["created_at"]) - (payload["exp"] - 86400)) <= 1
        if payload["jti"] in blacklisted:
            entry = blacklisted[payload["jti"]]
            assert seconds(entry["expires_at"]) == payload["exp"]
            assert abs(seconds(entry["blacklisted_at"]) - seconds(record["created_at"])) < 120


def test_the_last_line_counts_the_others(exported):
    _, _, records = exported
    users, outstanding, blacklisted = (
        len(of_kind(kind, records)) for kind in ("user", "outstanding", "blacklisted")
    )
    assert users and outstanding and blacklisted
    end = {"kind": "end", "users": users, "outstanding": outstanding, "blacklisted": blacklisted}
    assert records[-1] == end
    assert len(records) == users + outstanding + blacklisted + 2


def test_the_file_has_neither_a_token_nor_the_key(exported):
    site, population, _ = exported
    text = (site.directory / "export.ndjson").read_text()
    # Hashes may have the first letters of tokens, too.
    parts = [part for token in population.tokens for part in token["refresh"].split(".")]
    assert parts and not any(part in text for part in parts)
    assert SECRET_KEY not in text


# What SQLite does is seen by the function that authorizes it: here it allows no write, and no read of tokens.
GUARD = """
import sqlite3
from django.db import connection
connection.ensure_connection()
writes = {9, 18, 23}
connection.connection.set_authorizer(lambda action, table, column, *rest: (
    sqlite3.SQLITE_DENY if action in writes or column == "token" else sqlite3.SQLITE_OK))
"""


def test_nothing_is_written_and_the_column_of_tokens_is_not_read(site):
    guarded = GUARD + (FILES / "sallyport_export.py").read_text()
    path = site.directory / "guarded.ndjson"
    site.manage("shell", stdin=guarded, SALLYPORT_EXPORT=path)
    assert json.loads(path.read_text().splitlines()[-1])["users"] > 0
    read = "from token_blacklist_outstandingtoken"
    failed = site.manage("shell", stdin=f"{GUARD}\nconnection.cursor().execute('select token {read}')", check=False)
    assert failed.returncode != 0 and "prohibited" in failed.stderr


def test_only_its_owner_may_read_the_file_even_where_it_was_there_before(site):
    path = site.directory / "sallyport-export.ndjson"
    path.write_text("older and longer\n" * 10_000)
    path.chmod(0o644)
    done = site.run_file("sallyport_export.py")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith('{"format":"sallyport-import"')
    assert "users" in done.stderr and "outstanding tokens" in done.stderr


def test_standard_output_gets_the_same_lines(site):
    records = site.export()
    lines = site.run_file("sallyport_export.py", SALLYPORT_EXPORT="-").stdout.splitlines()
    # Django 5.2 says first what it imported.
    first = next(number for number, line in enumerate(lines) if line.startswith('{"format"'))
    assert [json.loads(line) for line in lines[first + 1 :]] == records[1:]
    assert not any(line.startswith("{") for line in lines[:first])


def test_a_file_that_cannot_be_written_is_an_error_in_one_line(site):
    path = site.directory / "nowhere/export.ndjson"
    done = site.run_file("sallyport_export.py", check=False, SALLYPORT_EXPORT=path)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1] == (
        f"sallyport_export: cannot write {path}: No such file or directory"
    )


# Until 3.1, Django's shell had names of a file as local ones of its own function.
OLD_SHELL = """
def handle(code):
    exec(code)
handle(open({path!r}).read())
"""


@pytest.mark.parametrize("name", ["sallyport_export.py", "sallyport_load.py"])
def test_each_file_runs_in_the_shell_of_older_versions(site, name):
    path = site.directory / "empty.ndjson"
    header = {"format": "sallyport-import", "version": 1, "source": "sallyport"}
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, {"kind": "end"})))
    output = site.directory / "old-shell.ndjson"
    code = OLD_SHELL.format(path=str(FILES / name))
    done = site.manage("shell", stdin=code, SALLYPORT_EXPORT=output, SALLYPORT_LOAD=path)
    if name == "sallyport_export.py":
        assert '"kind":"end"' in output.read_text()
    else:
        assert "0 sessions" in done.stdout
