"""An import that is killed can be repeated, and is then as one that was not."""

import contextlib
import hashlib
import json
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from service import BINARY

ACCOUNTS = 4000
# Their hashes are wrapped in argon2id, which takes most of the time of an import.
WITH_MD5 = 40
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def time_text(days):
    return (NOW + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def password(number):
    return f"harbour violet lantern {number}"


def hash_text(number):
    # Early and late in the file.
    if number % (ACCOUNTS // WITH_MD5) == 0:
        return f"md5$salt{number}${hashlib.md5(f'salt{number}{password(number)}'.encode()).hexdigest()}"
    return f"pbkdf2_sha256$1000$salt{number}$" + "A" * 43 + "="


def user(number, **values):
    return {
        "kind": "user", "id": str(number), "username": f"user{number}", "email": f"user{number}@example.com",
        "email_verified": number % 2 == 0, "password": hash_text(number), "is_active": number % 50 != 7,
        "is_staff": number % 100 == 0, "groups": ["authors"] if number % 10 == 0 else [],
        "date_joined": time_text(-400), "last_login": time_text(-1) if number % 3 else None, **values,
    }


def records(change=lambda record: record):
    yield {"format": "sallyport-import", "version": 1, "source": "django", "settings": {}}
    for number in range(ACCOUNTS):
        yield change(user(number))
    for number in range(0, ACCOUNTS, 2):
        yield {"kind": "outstanding", "jti": f"jti{number}", "user_id": str(number),
               "created_at": time_text(-1), "expires_at": time_text(1)}
    for number in range(0, ACCOUNTS, 8):
        yield {"kind": "blacklisted", "jti": f"jti{number}", "blacklisted_at": time_text(0), "expires_at": time_text(1)}
    yield {"kind": "end", "users": ACCOUNTS, "outstanding": ACCOUNTS // 2, "blacklisted": ACCOUNTS // 8}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The file of the first import, and one of later, when some accounts have changed."""
    directory = tmp_path_factory.mktemp("generated")

    def later(record):
        number = int(record["id"])
        if number % 5 == 1:
            record["email"] = f"later{number}@example.com"
        if number % 7 == 3:
            record["is_active"] = False
        return record

    paths = [directory / "first.ndjson", directory / "later.ndjson"]
    for path, change in zip(paths, (lambda record: record, later)):
        path.write_text("".join(json.dumps(record) + "\n" for record in records(change)))
    return paths


QUERIES = (
    """select external_id, username, username_key, email, email_key, email_verified_at is not null, role, roles,
       created_at, last_login_at, deactivated_at is not null, deleted_at from users order by external_id""",
    """select a.source, a.external_id, u.username, a.tokens_ended_at is not null
       from external_accounts a join users u on u.id = a.user_id order by 2""",
    # Salts of wrapped hashes are random.
    """select u.external_id, p.scheme, case when p.hash like 'pbkdf2%' then p.hash else '' end, p.changed_at
       from password_credentials p join users u on u.id = p.user_id order by 1""",
    """select source, jti, external_id, created_at, expires_at, blacklisted_at is not null, session_id, exchanged_at
       from foreign_tokens order by 2""",
)


def content(service):
    return [sorted(map(repr, service.query(query))) for query in QUERIES]


def import_and_kill(service, path, statement, number):
    """Kills an import once a query answers so many rows."""
    process = subprocess.Popen(
        [BINARY, "import", str(path), "--apply"], cwd=service.directory, env=service.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    with contextlib.closing(service.connect()) as connection:
        while process.poll() is None and connection.execute(statement).fetchone()[0] < number:
            time.sleep(0.001)
    process.kill()
    assert process.wait() == -signal.SIGKILL, "the import was faster"


USERS = "select count(*) from users"
LATER = "select count(*) from users where email like 'later%'"
# Until when the import of each file runs.
KILLS = [
    ((USERS, 1), (LATER, 1)),
    ((USERS, ACCOUNTS // 2), (LATER, ACCOUNTS // 10)),
    (("select count(*) from foreign_tokens", 1), ("select count(*) from users where deactivated_at is not null", 200)),
]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_imports_that_were_killed_are_complete_after_the_next_one(make_service, files, kind):
    whole = make_service(kind)
    expected = []
    for path in files:
        whole.import_file(path, "--apply")
        expected.append(content(whole))
    assert len(expected[0][0]) == ACCOUNTS and expected[0] != expected[1]

    def kill_and_repeat(kills):
        service, left = make_service(kind), []
        service.command("migrate")
        for path, kill, right in zip(files, kills, expected):
            import_and_kill(service, path, *kill)
            left.append(content(service) != right)
            imported = service.import_file(path, "--apply")
            assert imported.problems == [] and sum(imported.users) == ACCOUNTS
            assert content(service) == right
        return service, left

    # At once, since an import waits for ten seconds where another one may still run.
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(kill_and_repeat, KILLS))
    assert all(left[0] for _, left in done) and any(left[1] for _, left in done)
    with done[0][0].serving() as replica:
        for number in range(0, ACCOUNTS, 8 * ACCOUNTS // WITH_MD5):
            assert replica.log_in(f"user{number}", password(number)).is_granted
