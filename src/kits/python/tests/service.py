"""Processes that the tests talk to: the real binary on a port and a database of its own, and web servers.

The environment variable SALLYPORT_BINARY names the binary.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path

BINARY = os.environ["SALLYPORT_BINARY"]
PASSWORD = "tangerine-orbit-quartz-41"
APPS = Path(__file__).parent / "apps"

# Passwords are hashed cheaply, and nobody waits after a wrong one: neither is what is tested here.
FLAGS = ["--hashing-memory", "8", "--hashing-passes", "1", "--throttle", "false"]


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url: str, token: str | None = None, data: bytes | None = None) -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, _lower(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, _lower(error.headers), error.read().decode()


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Sallyport:
    """A service with the administrator `admin`."""

    def __init__(self, *flags: str) -> None:
        self.directory = tempfile.mkdtemp()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flags = ["--listen", f"127.0.0.1:{self.port}", "--issuer", self.url, *FLAGS, *flags]
        self.environment = {
            "SALLYPORT_ADMIN_PASSWORD": PASSWORD,
            "SALLYPORT_DATABASE_URL": f"sqlite://{self.directory}/test.db",
            "SALLYPORT_SECRET": "0123456789abcdefghijklmnopqrstuv",
        }
        self.begin()

    def begin(self) -> None:
        self.process = subprocess.Popen(
            [BINARY, *self.flags],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=open(f"{self.directory}/log", "ab"),
        )
        try:
            until(self._is_ready)
        except BaseException:
            self.kill()
            raise

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(Path(self.directory, "log").read_text())
        try:
            return get(f"{self.url}/readyz")[0] == 200
        except OSError:
            return False

    def suspend(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.resume()
        self.kill()
        shutil.rmtree(self.directory)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [BINARY, *words], cwd=self.directory, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def send(self, query: str, variables: dict[str, object], token: str | None = None) -> dict[str, dict]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = json.loads(get(f"{self.url}/graphql", token, body)[2])
        assert "errors" not in answer, answer
        return answer["data"]

    def login(self, username: str = "admin") -> dict[str, str]:
        """`access`, `refresh`, `sid`, `sub`."""
        payload = self.send(
            """mutation($username: String!, $password: String!) {
              login(input: { username: $username, password: $password }) {
                tokens { accessToken refreshToken } session { id sid }
              }
            }""",
            {"username": username, "password": PASSWORD},
        )["login"]
        tokens = payload["tokens"]
        return {
            "access": tokens["accessToken"],
            "refresh": tokens["refreshToken"],
            "sid": payload["session"]["sid"],
            "id": payload["session"]["id"],
        }

    def logout(self, token: str, scope: str = "CURRENT") -> None:
        query = "mutation($scope: LogoutScope!) { logout(input: { scope: $scope }) { endedCount } }"
        assert self.send(query, {"scope": scope}, token)["logout"]["endedCount"] > 0


class Server:
    """A web server with one of the apps, in processes of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        words = [word.replace("PORT", str(self.port)) for word in command]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=APPS,
            env={**os.environ, **environment},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()

    def answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(self.said())
        try:
            return get(f"{self.url}/open")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.log.close()
