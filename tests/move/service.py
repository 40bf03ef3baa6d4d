"""The real program: its commands, and servers that share a database."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import threading
from dataclasses import dataclass
from datetime import datetime, timezone

import psycopg

from django_site import answer_to, post
from records import graphql_request

BINARY = os.environ.get("SALLYPORT_BINARY", "")
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")
SECRET = "move-tests-master-secret-0123456789"
PASSWORD = "tangerine-orbit-quartz-41"
ISSUER = "https://auth.example.com"
NUMBERS = itertools.count()

# Passwords are hashed cheaply, and nobody waits after a wrong one: neither is what is tested here.
FLAGS = ["--hashing-memory", "8", "--hashing-passes", "1", "--throttle", "false"]

LOGIN = """mutation($username: String!, $password: String!) {
  login(input: { username: $username, password: $password }) {
    tokens { accessToken refreshToken } session { sid } user { id username externalId } errors { code }
  }
}"""
REFRESH = """mutation($token: String!) {
  refresh(input: { refreshToken: $token }) {
    tokens { accessToken refreshToken } session { sid authenticatedAt } user { id externalId } errors { code }
  }
}"""
LOGOUT = "mutation($scope: LogoutScope!) { logout(input: { scope: $scope }) { endedCount errors { code } } }"


@dataclass(frozen=True)
class Granted:
    """The answer of a login or a refresh: tokens, or the codes of its errors."""

    access: str | None
    refresh: str | None
    sid: str | None
    user: str | None
    external_id: str | None
    codes: tuple

    @property
    def is_granted(self):
        return self.refresh is not None and not self.codes


class Replica:
    """A process that serves; `url` is its address."""

    def __init__(self, command, directory, environment):
        self.log = directory / f"serve-{next(NUMBERS)}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )
        line = self.process.stdout.readline()
        if "listening on " not in line:
            self.kill()
            raise AssertionError(line + self.log.read_text())
        self.url = line.split("listening on ")[1].strip().removesuffix("/graphql")
        # What it prints further must not fill the pipe.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def kill(self):
        """As the kernel ends a process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def graphql(self, query, bearer=None, **variables):
        answer = answer_to(graphql_request(self.url, query, variables, bearer))
        assert answer.status == 200 and "errors" not in answer.body, (answer, variables)
        return answer.body["data"]

    def log_in(self, username, password):
        return granted(self.graphql(LOGIN, username=username, password=password)["login"])

    def refresh(self, token):
        return granted(self.graphql(REFRESH, token=token)["refresh"])

    def log_out(self, access, scope="CURRENT"):
        payload = self.graphql(LOGOUT, access, scope=scope)["logout"]
        assert not payload["errors"], payload
        return payload["endedCount"]

    def post(self, path, body):
        """A request to one of the endpoints that answer as SimpleJWT does."""
        return post(f"{self.url}/api/token/{path}", body)


def granted(payload):
    tokens, session, user = (payload[name] or {} for name in ("tokens", "session", "user"))
    return Granted(
        access=tokens.get("accessToken"),
        refresh=tokens.get("refreshToken"),
        sid=session.get("sid"),
        user=user.get("id"),
        external_id=user.get("externalId"),
        codes=tuple(error["code"] for error in payload["errors"]),
    )


class Service:
    """A service with a database of its own. `kind` is "sqlite" or "postgres"."""

    def __init__(self, directory, kind, issuer=ISSUER):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.kind = kind
        self.replicas = []
        self.database_url = f"sqlite://{self.directory}/sallyport.db"
        if kind == "postgres":
            assert POSTGRES, "TEST_POSTGRES_URL is not set: start the tests with tests/postgres"
            name = f"move_{os.getpid()}_{next(NUMBERS)}"
            with psycopg.connect(POSTGRES, autocommit=True) as connection:
                connection.execute(f'create database "{name}"')
            self.database_url = f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
        names = ("PATH", "HOME", "TMPDIR", "LANG")
        self.environment = {
            **{name: os.environ[name] for name in names if name in os.environ},
            "SALLYPORT_DATABASE_URL": self.database_url,
            "SALLYPORT_SECRET": SECRET,
            "SALLYPORT_ISSUER": issuer,
        }

    def command(self, *words, stdin="", check=True):
        done = subprocess.run(
            [BINARY, *map(str, words)], input=stdin, cwd=self.directory, env=self.environment,
            capture_output=True, text=True, timeout=120,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def import_file(self, path, *options, check=True):
        """Runs `sallyport import`; answers its exit code, summary, problems and notes."""
        done = self.command("import", path, "--json", *options, check=check)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        kinds = {kind: [line for line in lines if line["kind"] == kind] for kind in ("summary", "problem", "note")}
        assert len(kinds["summary"]) <= 1, done.stdout
        summary = kinds["summary"][0] if kinds["summary"] else None
        return Imported(done.returncode, summary, kinds["problem"], kinds["note"], done.stderr)

    def make_user(self, name, *options):
        self.command("user", "create", name, "--password-stdin", *options, stdin=f"{PASSWORD}\n")

    def status(self):
        """Of the one source."""
        (status,) = json.loads(self.command("import", "status", "--json").stdout)
        return status

    def accept(self, site, key=None, **keys):
        """Writes the files of --accept-foreign-tokens for a site; answers the flags."""
        # As editors and `echo` write it.
        (self.directory / "django.key").write_text(f"{key or site.options['secret_key']}\n")
        lines = {"key-file": "django.key", "algorithm": "HS256", **keys}
        text = "".join(f"{name} = {toml(value)}\n" for name, value in lines.items())
        (self.directory / "django.toml").write_text(text)
        return ["--accept-foreign-tokens", "django.toml"]

    def start(self, *flags, port=0):
        replica = Replica([BINARY, "serve", "--listen", f"127.0.0.1:{port}", *FLAGS, *flags], self.directory, self.environment)
        self.replicas.append(replica)
        return replica

    def stop(self):
        for replica in self.replicas:
            replica.kill()

    @contextlib.contextmanager
    def serving(self, *flags):
        replica = self.start(*flags)
        try:
            yield replica
        finally:
            replica.kill()

    def connect(self):
        """A connection to the database."""
        if self.kind == "postgres":
            return psycopg.connect(self.database_url, autocommit=True)
        return sqlite3.connect(self.directory / "sallyport.db", timeout=20)

    def query(self, statement):
        """Rows of the database."""
        with contextlib.closing(self.connect()) as connection:
            return connection.execute(statement).fetchall()


@dataclass(frozen=True)
class Imported:
    code: int
    summary: dict | None
    problems: list
    notes: list
    stderr: str

    @property
    def users(self):
        """Numbers of new, changed and unchanged accounts, and of those changed on both sides."""
        return tuple(self.summary["users"][name] for name in ("new", "changed", "unchanged", "changedOnBothSides"))


def toml(value):
    """Texts, booleans, numbers and arrays are as in JSON."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps(value)
