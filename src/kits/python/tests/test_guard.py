"""The guard against real services: ends of sessions, and what it does while it hears nothing."""

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from front import Front, Key, claims_of
from service import PASSWORD, Sallyport, until

import sallyport.keys
from sallyport import Guard, NotAuthenticated, SessionEnded, Unavailable

STALENESS = 5.0


@pytest.fixture
def make() -> Iterator[Callable[..., Guard]]:
    made: list[Guard] = []

    def make_one(service: Sallyport, **arguments: object) -> Guard:
        named = {} if "token" in arguments else {"username": "admin", "password": PASSWORD}
        made.append(Guard(service.url, **{**named, **arguments}))  # type: ignore[arg-type]
        return made[-1]

    yield make_one
    for one in made:
        one.close()


def verdict(guard: Guard, token: str) -> str:
    try:
        guard.authenticate(token)
        return "accepted"
    except SessionEnded:
        return "ended"
    except NotAuthenticated as error:
        return error.reason
    except Unavailable:
        return "unavailable"


def becomes(guard: Guard, token: str, expected: str, seconds: float = 30) -> float:
    began = time.monotonic()
    until(lambda: verdict(guard, token) == expected, seconds)
    return time.monotonic() - began


def test_the_token_of_an_ended_session_is_refused_within_a_second(
    service: Sallyport, make: Callable[..., Guard]
) -> None:
    before, live = service.login(), service.login()
    service.logout(before["access"])
    guard = make(service)
    # The first call waits until it is known.
    assert verdict(guard, live["access"]) == "accepted"
    assert verdict(guard, before["access"]) == "ended", "it ended before the guard began"
    assert verdict(guard, live["refresh"]) == "WRONG_TYPE"
    identity = guard.authenticate(live["access"])
    assert (identity.session_id, identity.role, identity.external_id) == (live["sid"], "ADMIN", None)
    took = []
    for _ in range(5):
        one = service.login()
        assert verdict(guard, one["access"]) == "accepted"
        service.logout(one["access"])
        took.append(becomes(guard, one["access"], "ended"))
    # A machine that is busy with something else makes one late, and not all of them.
    assert min(took) < 1, took
    assert verdict(guard, live["access"]) == "accepted"


def test_it_stays_ready_where_sessions_end_all_the_time(service: Sallyport, make: Callable[..., Guard]) -> None:
    live, is_over = service.login(), threading.Event()

    def end_sessions() -> None:
        while not is_over.wait(0.2):
            service.logout(service.login()["access"])

    busy = threading.Thread(target=end_sessions)
    busy.start()
    try:
        guard = make(service)
        assert verdict(guard, live["access"]) == "accepted"
    finally:
        is_over.set()
        busy.join()


def test_it_logs_in_again_after_its_own_session_was_ended(make: Callable[..., Guard]) -> None:
    service = Sallyport()
    try:
        guard = make(service)
        live = service.login()
        assert verdict(guard, live["access"]) == "accepted"
        service.logout(live["access"], "OTHERS")
        time.sleep(STALENESS)
        assert verdict(guard, live["access"]) == "accepted"
    finally:
        service.stop()


def test_its_token_is_refreshed_before_it_expires(make: Callable[..., Guard]) -> None:
    service = Sallyport("--access-token-lifetime", "4s")
    try:
        guard = make(service, staleness=2)
        assert verdict(guard, service.login()["access"]) == "accepted"
        for _ in range(6):
            time.sleep(1)
            assert guard.is_ready
        sessions = service.send("{ sessions { totalCount } }", {}, service.login()["access"])
        # Its own, the one above and this one.
        assert sessions["sessions"]["totalCount"] == 3
        guard.close()
        sessions = service.send("{ sessions { nodes { state } } }", {}, service.login()["access"])
        states = [node["state"] for node in sessions["sessions"]["nodes"]]
        assert states.count("ENDED") == 1, "it logs out when it is closed"
    finally:
        service.stop()


def test_what_it_cannot_know_it_neither_accepts_nor_refuses(make: Callable[..., Guard]) -> None:
    service = Sallyport()
    front = Front(service.port)
    try:
        guard = make(service, url=front.url)
        live, ended, later = service.login(), service.login(), service.login()
        service.logout(ended["access"])
        assert verdict(guard, live["access"]) == "accepted"
        # The network drops all packets: connections stay open.
        front.is_silent = True
        began = time.monotonic()
        service.logout(later["access"])
        took = becomes(guard, later["access"], "unavailable")
        assert took < STALENESS + 1, took
        assert verdict(guard, live["access"]) == "unavailable"
        assert verdict(guard, ended["access"]) == "ended", "that is known"
        assert verdict(guard, "none") == "MALFORMED", "that is known, too"
        assert time.monotonic() - began < STALENESS + 2, "no call waits"
        front.is_silent = False
        seen = set()
        until(lambda: seen.add(verdict(guard, later["access"])) or "ended" in seen)
        assert "accepted" not in seen
        becomes(guard, live["access"], "accepted")

        service.suspend()
        took = becomes(guard, live["access"], "unavailable")
        assert STALENESS / 2 - 1 < took < STALENESS + 1, took
        service.resume()
        becomes(guard, live["access"], "accepted")

        service.kill()
        becomes(guard, live["access"], "unavailable")
        service.begin()
        becomes(guard, live["access"], "accepted")
        assert verdict(guard, later["access"]) == "ended"
    finally:
        front.stop()
        service.stop()


def test_a_service_that_is_away_is_asked_seldom(make: Callable[..., Guard]) -> None:
    service = Sallyport()
    front = Front(service.port)
    try:
        live = service.login()
        guard = make(service, url=front.url)
        assert verdict(guard, live["access"]) == "accepted"
        service.kill()
        front.counts.update(streams=0, operations=0)
        used, began = time.process_time(), time.monotonic()
        time.sleep(6)
        seconds = time.monotonic() - began
        # The pauses grow to two seconds, half of which may be added or taken away.
        assert 1 <= front.counts["streams"] <= 4 + seconds
        assert time.process_time() - used < 0.1 * seconds, "no busy loop"
        service.begin()
        front.counts.update(streams=0, operations=0)
        becomes(guard, live["access"], "accepted")
        time.sleep(5)
        assert front.counts["streams"] <= 6
    finally:
        front.stop()
        service.stop()


def test_an_account_that_may_not_follow_makes_it_unavailable_without_many_attempts(
    service: Sallyport, make: Callable[..., Guard], caplog: pytest.LogCaptureFixture
) -> None:
    front = Front(service.port)
    try:
        live = service.login()
        guard = make(service, url=front.url, password="wrong-horse-battery-7")
        assert verdict(guard, live["access"]) == "unavailable"
        assert front.counts["operations"] == 1
        assert "INVALID_CREDENTIALS" in caplog.text
        assert "wrong-horse" not in caplog.text
        query = """mutation($name: String!, $password: String!) {
          createUser(input: { username: $name, password: $password }) { user { id } errors { code } }
        }"""
        service.send(query, {"name": "grace", "password": PASSWORD}, live["access"])
        grace = service.login("grace")["access"]
        # Each of these gets a stream, which tells of the refusal.
        refused = make(service, url=front.url, token=lambda: grace)
        invalid = make(service, url=front.url, token=lambda: "none")
        for one in (refused, invalid):
            one.start()
        for _ in range(40):
            assert not refused.is_ready and not invalid.is_ready
            time.sleep(0.05)
        assert verdict(make(service, token=lambda: live["access"]), live["access"]) == "accepted"
    finally:
        front.stop()


def test_a_failing_source_of_tokens_makes_it_unavailable_until_it_works(
    service: Sallyport, make: Callable[..., Guard]
) -> None:
    live, is_broken = service.login(), True

    def token() -> str:
        if is_broken:
            raise RuntimeError("no token today")
        return live["access"]

    guard = make(service, token=token)
    assert verdict(guard, live["access"]) == "unavailable"
    is_broken = False
    becomes(guard, live["access"], "accepted", 10)


def test_it_becomes_unavailable_when_it_may_no_longer_follow(service: Sallyport, make: Callable[..., Guard]) -> None:
    live = service.login()
    tokens = [live["access"]]
    guard = make(service, token=lambda: tokens[-1], staleness=2)
    assert verdict(guard, live["access"]) == "accepted"
    # From now on each stream begins, and tells of the refusal.
    tokens.append("none")
    assert becomes(guard, live["access"], "unavailable") < 3
    for _ in range(40):
        assert verdict(guard, live["access"]) == "unavailable"
        time.sleep(0.05)
    tokens.append(live["access"])
    becomes(guard, live["access"], "accepted", 10)


def test_keys_are_rotated_under_it(make: Callable[..., Guard]) -> None:
    service = Sallyport()
    try:
        guard = make(service)
        old = service.login()["access"]
        assert verdict(guard, old) == "accepted"
        service.command("keys", "rotate", "--immediately")
        for _ in range(100):
            new = service.login()["access"]
            if new.split(".")[0] != old.split(".")[0]:
                break
            time.sleep(0.1)
        until(lambda: verdict(guard, new) == "accepted", sallyport.keys.PAUSE + 5)
        time.sleep(STALENESS)
        assert verdict(guard, new) == "accepted", "the follower has a token of the new key"
    finally:
        service.stop()


def test_an_imported_account_keeps_its_id(service: Sallyport, make: Callable[..., Guard]) -> None:
    front = Front(service.port)
    front.keys.append(Key())
    try:
        guard = make(service, url=front.url)
        live = service.login()
        token = front.keys[0].sign(claims_of(service.url, sid=live["sid"], user_id="41"))
        assert guard.authenticate(token).external_id == "41"
        service.logout(live["access"])
        becomes(guard, token, "ended", 5)
    finally:
        front.stop()


def test_it_follows_over_tls_and_trusts_only_known_certificates(
    service: Sallyport, make: Callable[..., Guard], tmp_path: Path
) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "front")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "front.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "front.pem")
    front = Front(service.port, server)
    try:
        trusting = ssl.create_default_context(cadata=pem.decode())
        guard = make(service, url=front.url, ssl_context=trusting)
        live = service.login()
        assert verdict(guard, live["access"]) == "accepted"
        time.sleep(STALENESS)
        assert verdict(guard, live["access"]) == "accepted"
        service.logout(live["access"])
        becomes(guard, live["access"], "ended", 5)
        assert verdict(make(service, url=front.url), service.login()["access"]) == "unavailable"
    finally:
        front.stop()


def test_many_threads_share_it(service: Sallyport, make: Callable[..., Guard]) -> None:
    live = service.login()
    guard, verdicts = make(service), []
    threads = [threading.Thread(target=lambda: verdicts.append(verdict(guard, live["access"]))) for _ in range(50)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert verdicts == ["accepted"] * 50
    followers = [one for one in threading.enumerate() if one.name == "sallyport-ends" and one is guard._ends._thread]
    assert len(followers) == 1


def test_a_child_follows_by_itself_after_a_fork(service: Sallyport, make: Callable[..., Guard]) -> None:
    live, later = service.login(), service.login()
    guard = make(service)
    assert verdict(guard, live["access"]) == "accepted"
    children: list[tuple[int, socket.socket]] = []
    try:
        for _ in range(3):
            ours, theirs = socket.socketpair()
            ours.settimeout(30)
            child = os.fork()
            if child == 0:
                # Whatever happens to the parent.
                signal.alarm(60)
                try:
                    theirs.send(verdict(guard, live["access"]).encode())
                    theirs.recv(1)
                    time.sleep(1)
                    theirs.send(verdict(guard, later["access"]).encode())
                    guard.close()
                finally:
                    os._exit(0)
            theirs.close()
            children.append((child, ours))
        assert [line.recv(100) for _, line in children] == [b"accepted"] * 3
        # One session for each: two users of one refresh token look like theft.
        sessions = service.send("{ sessions(first: 100) { nodes { name } } }", {}, live["access"])["sessions"]["nodes"]
        names = {str(session["name"]).split(" ")[-1] for session in sessions}
        assert {str(child) for child, _ in children} | {str(os.getpid())} <= names
        service.logout(later["access"])
        for _, line in children:
            line.send(b"x")
        assert [line.recv(100) for _, line in children] == [b"ended"] * 3
    finally:
        for child, line in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            line.close()
    # The parent's is as it was.
    time.sleep(STALENESS / 2 + 0.5)
    assert verdict(guard, live["access"]) == "accepted"
    assert verdict(guard, later["access"]) == "ended"


def test_a_closed_guard_accepts_nothing(service: Sallyport, make: Callable[..., Guard]) -> None:
    live, guard = service.login(), make(service)
    assert verdict(guard, live["access"]) == "accepted"
    began = time.monotonic()
    guard.close()
    assert time.monotonic() - began < 2
    assert verdict(guard, live["access"]) == "unavailable"


@pytest.mark.parametrize(
    "arguments", [{}, {"username": "a"}, {"username": "a", "password": "b", "token": str}, {"token": str, "staleness": 1}]
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Guard("https://auth.example.com", **arguments)  # type: ignore[arg-type]
