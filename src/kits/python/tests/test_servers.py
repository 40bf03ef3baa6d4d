"""Apps of each framework behind real servers with several processes, while one service ends sessions and stops."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from front import Front, Key, claims_of
from service import APPS, PASSWORD, Sallyport, Server, get, until

KIT_AND_SIMPLEJWT = "sallyport.drf.SallyportAuthentication,rest_framework_simplejwt.authentication.JWTAuthentication"
SIMPLEJWT = "rest_framework_simplejwt.authentication.JWTAuthentication"

QUERY = json.dumps({"query": "{ open me }"}).encode()

# One process of pytest has all tests of this file, and the servers once.
pytestmark = pytest.mark.xdist_group("servers")


@dataclass
class Site:
    """A service, a server in front of it with a further key, and the apps that accept its tokens."""

    service: Sallyport
    front: Front
    servers: dict[str, Server]
    legacy: list[str]

    def token(self, sid: str, **claims: object) -> str:
        """A token as after an import, of the user 1 in Django."""
        return self.front.keys[0].sign(claims_of(self.service.url, sid=sid, **{"user_id": "1", **claims}))

    def ask(self, name: str, token: str | None) -> tuple[int, str]:
        """Status and process; for GraphQL the status of the error's code."""
        server = self.servers[name]
        if name in ("strawberry", "graphene"):
            _, headers, body = get(f"{server.url}/graphql", token, QUERY)
            errors = json.loads(body).get("errors")
            codes = {"UNAUTHENTICATED": 401, "SERVICE_UNAVAILABLE": 503}
            return codes[errors[0]["extensions"]["code"]] if errors else 200, headers["x-process"]
        status, headers, _ = get(f"{server.url}/me", token)
        return status, headers["x-process"]

    def verdicts(self, name: str, token: str) -> dict[str, set[int]]:
        """The statuses by process. Connections are spread over the processes."""
        found: dict[str, set[int]] = {}
        with ThreadPoolExecutor(8) as threads:
            for status, process in threads.map(lambda _: self.ask(name, token), range(24)):
                found.setdefault(process, set()).add(status)
        return found

    def become(self, token: str, expected: int) -> None:
        for name in NAMES:
            until(lambda name=name: self.ask(name, token)[0] == expected)
            until(lambda name=name: set.union(*self.verdicts(name, token).values()) == {expected})


NAMES = ["fastapi", "drf", "strawberry", "graphene"]


def environment(url: str, issuer: str, **further: str) -> dict[str, str]:
    return {"GUARD_URL": url, "GUARD_ISSUER": issuer, "GUARD_PASSWORD": PASSWORD, **further}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        service = Sallyport()
        stack.callback(service.stop)
        front = Front(service.port)
        stack.callback(front.stop)
        front.keys.append(Key())
        given = environment(front.url, service.url)
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        django = {**given, "DJANGO_DATABASE": f"{directory}/django.db", "DJANGO_CLASSES": KIT_AND_SIMPLEJWT}
        made = subprocess.run(
            [sys.executable, "make_users.py"], cwd=APPS, env={**os.environ, **django}, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        uvicorn = ["uvicorn", "--port", "PORT", "--no-access-log"]
        gunicorn = ["gunicorn", "--bind", "127.0.0.1:PORT"]
        forking = [*gunicorn, "--workers", "2", "--preload"]
        commands = {
            "fastapi": ([*uvicorn, "--workers", "2", "fastapi_app:app"], given),
            "drf": ([*forking, "--config", "gunicorn_conf.py", "django_app:app"], django),
            "strawberry": ([*uvicorn, "strawberry_app:app"], given),
            # Its guard begins with the first request of each worker.
            "graphene": ([*forking, "--threads", "4", "graphene_app:app"], given),
            "simplejwt": ([*gunicorn, "django_app:app"], {**django, "DJANGO_CLASSES": SIMPLEJWT}),
        }
        servers = {name: Server(*command) for name, command in commands.items()}
        for server in servers.values():
            stack.callback(server.stop)
        for server in servers.values():
            until(server.answers)
        yield Site(service, front, servers, json.loads(made.stdout))


@pytest.mark.parametrize("name", NAMES)
def test_valid_tokens_are_accepted_and_others_refused(site: Site, name: str) -> None:
    live = site.service.login()
    token = site.token(live["sid"])
    assert site.ask(name, token)[0] == 200
    assert site.ask(name, None)[0] == 401
    stranger = Key().sign(claims_of(site.service.url, sid=live["sid"], user_id="1"))
    for refused in (stranger, live["refresh"], "none", f"{token}x", token[:-40], site.token(live["sid"], aud="others")):
        assert site.ask(name, refused)[0] == 401, refused


@pytest.mark.parametrize("name", NAMES)
def test_every_process_refuses_an_ended_session_within_a_second(site: Site, name: str) -> None:
    for attempt in range(3):
        live, other = site.service.login(), site.service.login()
        token = site.token(live["sid"])
        accepted = site.verdicts(name, token)
        assert set.union(*accepted.values()) == {200}
        assert len(accepted) == (1 if name == "strawberry" else 2), "a process was never asked"
        site.service.logout(live["access"])
        time.sleep(1)
        refused = site.verdicts(name, token)
        assert site.ask(name, site.token(other["sid"]))[0] == 200
        # A machine that is busy with something else makes one late, and not all of them.
        if refused == {process: {401} for process in accepted}:
            return
    raise AssertionError(refused)


def test_answers_have_the_headers_of_their_status(site: Site) -> None:
    for name in ("fastapi", "drf"):
        status, headers, _ = get(f"{site.servers[name].url}/me")
        assert status == 401
        assert headers["www-authenticate"].startswith("Bearer")
        status, headers, _ = get(f"{site.servers[name].url}/me", site.token("x", aud="others"))
        assert status == 401
        assert headers["www-authenticate"].startswith("Bearer")


def test_a_part_that_needs_no_token_is_answered_by_graphql(site: Site) -> None:
    for name in ("strawberry", "graphene"):
        _, _, body = get(f"{site.servers[name].url}/graphql", None, json.dumps({"query": "{ open }"}).encode())
        assert json.loads(body)["data"] == {"open": "open"}
        error = json.loads(get(f"{site.servers[name].url}/graphql", None, QUERY)[2])["errors"][0]
        assert error["extensions"] == {"code": "UNAUTHENTICATED", "reason": "NO_TOKEN"}


def test_django_finds_its_user_by_the_claim(site: Site) -> None:
    live = site.service.login()
    url = f"{site.servers['drf'].url}/me"
    assert json.loads(get(url, site.token(live["sid"]))[2]) == {"user": 1, "sid": live["sid"]}
    assert json.loads(get(url, site.token(live["sid"], user_id=1))[2])["user"] == 1
    for code, user_id in [
        ("user_inactive", "2"),
        ("user_not_found", "3"),
        ("user_not_found", "ada"),
        ("user_not_found", str(10**30)),
        ("user_not_found", True),
        ("user_not_found", None),
    ]:
        status, _, body = get(url, site.token(live["sid"], user_id=user_id))
        assert (status, "User" in body or "user" in body) == (401, True), (code, user_id)


@pytest.mark.parametrize("name", ["drf", "simplejwt"])
def test_during_a_move_both_kinds_of_token_are_accepted(site: Site, name: str) -> None:
    """With the guard, and with SimpleJWT alone."""
    url = f"{site.servers[name].url}/me"
    active, inactive = site.legacy
    live = site.service.login()
    for token in (active, site.token(live["sid"])):
        status, _, body = get(url, token)
        assert (status, json.loads(body).get("user")) == (200, 1), body
    stranger = Key().sign(claims_of(site.service.url, user_id="1"))
    for token in (inactive, f"{active}x", stranger, site.token(live["sid"], aud="others"), live["refresh"]):
        assert get(url, token)[0] == 401


def test_a_service_that_stops_makes_them_unavailable_until_it_is_back(site: Site) -> None:
    live, ended = site.service.login(), site.service.login()
    tokens = {"live": site.token(live["sid"]), "ended": site.token(ended["sid"])}
    site.become(tokens["live"], 200)
    site.service.logout(ended["access"])
    site.become(tokens["ended"], 401)
    site.service.suspend()
    time.sleep(6)
    for name in NAMES:
        assert set.union(*site.verdicts(name, tokens["live"]).values()) == {503}, name
    for name in ("fastapi", "drf"):
        assert get(f"{site.servers[name].url}/me", tokens["live"])[1]["retry-after"] == "1"
    # Tokens of the other system do not need it.
    assert get(f"{site.servers['drf'].url}/me", site.legacy[0])[0] == 200
    site.service.resume()
    site.become(tokens["live"], 200)
    site.service.kill()
    time.sleep(6)
    for name in NAMES:
        assert set.union(*site.verdicts(name, tokens["live"]).values()) == {503}, name
    site.service.begin()
    site.become(tokens["live"], 200)
    site.become(tokens["ended"], 401)
