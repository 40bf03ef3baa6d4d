"""Answers of the four views of SimpleJWT to requests of all kinds, to compare two servers:

    python tests/move/simplejwt_answers.py http://127.0.0.1:8000/api/token USERNAME PASSWORD > a
    python tests/move/simplejwt_answers.py http://127.0.0.1:9000/api/token USERNAME PASSWORD > b
    diff a b

The other server is Django with the blacklist app, ROTATE_REFRESH_TOKENS and BLACKLIST_AFTER_ROTATION. Each line is
one answer: name, status, headers, body; tokens in bodies are replaced by their names.
"""

import http.client
import json
import sys
import urllib.parse

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
HEADERS = ("allow", "content-type", "www-authenticate")
VIEWS = {"obtain": "/", "refresh": "/refresh/", "verify": "/verify/", "blacklist": "/blacklist/"}

# Bodies that no view takes, as they are sent.
BODIES = [
    "[]", '"a"', "5", "5.5", "true", "null", "broken", " ", "{", '{"a":', '{"a":1', '{"a" 1}', '{"a":1 "b":2}',
    '{"a":1} x', '{"a":1}\n\n}', "{a:1}", "[1 2]", "[1,]", '{"a":1,}', "username=a&password=b",
]  # fmt: skip

# Values that no field takes, and one that is not a token.
VALUES = [None, "", " \n", True, [], {}, "a\0", 5, "garbage", "a.b.c"]


class Server:
    """A server, and the tokens that it gave."""

    def __init__(self, base):
        self.base = urllib.parse.urlsplit(base)
        self.names = {}

    def ask(self, name, view, body, media_type=JSON, method="POST", **headers):
        """Sends a request; returns the answer and its body."""
        if not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=30)
        sent = {"Content-Type": media_type, **headers} if media_type is not None else headers
        path = self.base.path.rstrip("/") + VIEWS[view]
        connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        given = json.loads(text) if text.startswith("{") else {}
        for kind in ("refresh", "access"):
            if isinstance(given.get(kind), str):
                self.names.setdefault(given[kind], f"<{kind} {name}>")
        for token, label in self.names.items():
            text = text.replace(token, label)
        told = {header: response.headers.get(header) for header in HEADERS}
        return {"name": f"{view} {name}", "status": response.status, "headers": told, "body": text}, given


def answers(base, username, password, field="username"):
    """All answers of a server to an account that can log in by this field."""
    server = Server(base)
    right = {field: username, "password": password}
    yield from requests_without_tokens(server, field, right)
    yield from requests_with_tokens(server, right)


def requests_without_tokens(server, field, right):
    def ask(*arguments, **headers):
        return server.ask(*arguments, **headers)[0]

    for view in VIEWS:
        for body in BODIES:
            yield ask(repr(body), view, body)
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            yield ask(method, view, "", None, method)
        for media_type in ("text/plain", "application/xml; charset=utf-8", "nonsense"):
            yield ask(media_type, view, "{}", media_type)
        yield ask("no body", view, "", "text/plain")
        yield ask("accept image", view, "{}", Accept="image/png")
        yield ask("empty form", view, "", FORM)
    for missing in ({}, {field: "x"}, {"password": "x"}):
        yield ask(f"with {sorted(missing)}", "obtain", missing)
    for value in VALUES:
        yield ask(f"both {value!r}", "obtain", {field: value, "password": value})
        yield ask(f"password {value!r}", "obtain", {**right, "password": value})
        for view, only in (("refresh", "refresh"), ("verify", "token"), ("blacklist", "refresh")):
            yield ask(f"value {value!r}", view, {only: value})
    yield ask("unknown", "obtain", {field: "nobody@example.com", "password": right["password"]})
    form = urllib.parse.urlencode(right)
    yield ask("form", "obtain", form, FORM)
    yield ask("form twice", "obtain", f"{field}=x&{form}", FORM)
    yield ask("spaces", "obtain", {name: f" {value}\t" for name, value in right.items()})
    yield ask("charset", "obtain", right, "Application/JSON; charset=utf-8")


def requests_with_tokens(server, right):
    first_answer, first = server.ask("first", "obtain", right)
    yield first_answer
    head, _, signature = first["refresh"].rpartition(".")
    for view, field in (("refresh", "refresh"), ("verify", "token"), ("blacklist", "refresh")):
        yield server.ask("tampered", view, {field: f"{head}.{signature[::-1]}"})[0]
    yield server.ask("access", "refresh", {"refresh": first["access"]})[0]
    yield server.ask("access", "blacklist", {"refresh": first["access"]})[0]
    yield server.ask("access", "verify", {"token": first["access"]})[0]
    yield server.ask("live", "verify", {"token": first["refresh"]})[0]
    second_answer, second = server.ask("second", "refresh", {"refresh": first["refresh"]})
    yield second_answer
    third_answer, third = server.ask("third", "refresh", {"refresh": second["refresh"]})
    yield third_answer
    # Once the second token was used, nobody waits for it any more.
    yield server.ask("replaced", "refresh", {"refresh": first["refresh"]})[0]
    yield server.ask("replaced", "verify", {"token": first["refresh"]})[0]
    yield server.ask("live again", "verify", {"token": third["refresh"]}, Authorization="Bearer garbage")[0]
    yield server.ask("live", "blacklist", {"refresh": third["refresh"]}, Authorization="Bearer garbage")[0]
    for view, field in (("refresh", "refresh"), ("verify", "token"), ("blacklist", "refresh")):
        yield server.ask("blacklisted", view, {field: third["refresh"]})[0]
    other_answer, other = server.ask("other", "obtain", right)
    yield other_answer
    replaced_answer, _ = server.ask("fourth", "refresh", {"refresh": other["refresh"]})
    yield replaced_answer
    yield server.ask("replaced", "blacklist", {"refresh": other["refresh"]})[0]


if __name__ == "__main__":
    for answer in answers(*sys.argv[1:]):
        print(json.dumps(answer))
