"""A service with Django REST Framework accepts the tokens of the site and of Sallyport, as the manual says."""

import re
import socket
import time
from dataclasses import dataclass

import pytest

from django_site import ROOT, Population, Response, Site, get, post
from service import PASSWORD, Replica, Service

MANUAL = (ROOT / "src/help/move.md").read_text()
ADDRESS = "https://auth.example.com"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Move:
    site: Site
    population: Population
    service: Service
    replica: Replica

    @property
    def users(self):
        return [user for user in self.population.users
                if user["can_log_in"] and user["is_active"] and not user["is_deleted"]]


@pytest.fixture(scope="module", params=[("default", "sqlite"), ("email", "postgres")], ids=lambda pair: "-".join(pair))
def move(request, make_site, make_service):
    model, kind = request.param
    port = free_port()
    site, service = make_site(model=model), make_service(kind, issuer=f"http://127.0.0.1:{port}")
    population = site.populate(users=12, logins=8)
    site.export()
    service.import_file(site.directory / "export.ndjson", "--apply")
    service.make_user("verifier", "--admin")
    replica = service.start(*service.accept(site), port=port)
    yield Move(site, population, service, replica)
    service.stop()


def manual_files(url):
    """tokens.py and the setting of step 2, for a service at this address."""
    (block,) = (block for block in re.findall(r"```python\n(.*?)```", MANUAL, re.DOTALL) if "# tokens.py" in block)
    tokens, settings = block.replace(ADDRESS, url).split("# settings.py")
    names = {"SIMPLE_JWT": {}}
    exec(settings, names)
    return tokens, names["SIMPLE_JWT"]


def both_kinds(move, url):
    """Access tokens of accounts by both; the site's by its own server."""
    for number, user in enumerate(move.users[:6]):
        credentials = {move.site.login_field: user["username"], "password": user["password"]}
        theirs = post(f"{url}/api/token/", credentials)
        ours = move.replica.log_in(user["username"], user["password"])
        assert theirs.status == 200 and ours.is_granted
        yield user, theirs.body["access"], ours.access


def assert_both_are_accepted(move, url):
    for user, theirs, ours in both_kinds(move, url):
        expected = Response(200, {"id": user["id"], "username": user["username"]})
        assert get(f"{url}/api/me", theirs) == get(f"{url}/api/me", ours) == expected
        # A refresh token is none of them.
        refresh = move.replica.log_in(user["username"], user["password"]).refresh
        for text in (f"{ours[:-4]}AAAA", f"{theirs[:-4]}AAAA", refresh, "garbage"):
            assert get(f"{url}/api/me", text).status == 401
    live = next(token for token in move.population.of("live") if token["user_id"] in {user["id"] for user in move.users})
    move.population.tokens.remove(live)
    exchanged = move.replica.refresh(live["refresh"])
    assert get(f"{url}/api/me", exchanged.access).body["id"] == live["user_id"]


def test_simplejwt_alone_accepts_both_kinds_by_the_class_of_the_manual(move):
    tokens, settings = manual_files(move.replica.url)
    (move.site.directory / "modules").mkdir(exist_ok=True)
    (move.site.directory / "modules/tokens.py").write_text(tokens)
    assert settings["AUTH_TOKEN_CLASSES"][1] == "tokens.SallyportToken"
    modules = [str(move.site.directory / "modules")]
    move.site.configure(simple_jwt=settings, modules=modules, settings={})
    with move.site.serve() as url:
        assert_both_are_accepted(move, url)
        # A service with another audience is not meant.
        with move.service.serving("--audience", "other") as other:
            user = move.users[0]
            access = other.log_in(user["username"], user["password"]).access
            assert get(f"{url}/api/me", access).status == 401


def test_the_package_accepts_both_kinds_and_learns_of_logouts(move):
    modules = [str(ROOT / "src/kits/python/src")]
    classes = ["sallyport.drf.SallyportAuthentication", "rest_framework_simplejwt.authentication.JWTAuthentication"]
    move.site.configure(simple_jwt={}, modules=modules, settings={
        "REST_FRAMEWORK": {"DEFAULT_AUTHENTICATION_CLASSES": classes},
        "SALLYPORT": {"ISSUER": move.replica.url, "USERNAME": "verifier", "PASSWORD": PASSWORD},
    })
    with move.site.serve() as url:
        assert_both_are_accepted(move, url)
        user = move.users[1]
        session = move.replica.log_in(user["username"], user["password"])
        assert get(f"{url}/api/me", session.access).status == 200
        move.replica.log_out(session.access)
        end = time.monotonic() + 5
        while get(f"{url}/api/me", session.access).status == 200:
            assert time.monotonic() < end, "the logout is not known"
            time.sleep(0.02)
        assert get(f"{url}/api/me", session.access).status == 401
