"""What schemathesis is told beside the schema: how to log in, and what no answer may hold."""

import os
import subprocess

import graphql
import requests
import schemathesis
from hypothesis import strategies
from schemathesis.graphql import nodes

URL = os.environ["SALLYPORT_URL"]
PROGRAM = os.environ["SALLYPORT_PROGRAM"]
PASSWORD = os.environ["SALLYPORT_ADMIN_PASSWORD"]
LOGIN = """mutation($n: String!, $p: String!) {
    login(input: { username: $n, password: $p }) { tokens { accessToken } }
}"""

# Words of the inside: of the database, of the library, of a panic.
INTERNAL = ("sqlx", "panicked", "src/", ".rs:", "SELECT ", "INSERT ", "constraint", "RUST_BACKTRACE")

# Every code that the contract has, but for the one of a fault.
CODES = {
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "BAD_USER_INPUT",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "QUERY_TOO_COMPLEX",
    "PERSISTED_QUERY_NOT_FOUND",
    "SERVICE_UNAVAILABLE",
}


# What a browser would send of a passkey, and what it would not: text, numbers and objects under names of the standard.
MEMBERS = ("id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "attestationObject")


def members(values):
    return strategies.dictionaries(strategies.sampled_from(MEMBERS), values, max_size=4).map(
        lambda pairs: nodes.Object(
            [graphql.ObjectFieldNode(name=graphql.NameNode(value=name), value=value) for name, value in pairs.items()]
        )
    )


TEXT = strategies.text(strategies.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\'), max_size=40)
LEAVES = TEXT.map(nodes.String) | strategies.integers(-(2**31), 2**31 - 1).map(nodes.Int)
schemathesis.graphql.scalar("WebAuthnJson", members(strategies.recursive(LEAVES, members, max_leaves=6)))


@schemathesis.auth(refresh_interval=None)
class Administrator:
    """Logs in for each request: many of them end their own session, as they should.

    The ids of answers come back in requests, so that one of them may set this account's own password.
    The command then makes another account for those that follow.
    """

    def __init__(self):
        self.name = "admin"
        self.made = 0

    def get(self, case, context):
        tokens = self.log_in()
        if tokens is None:
            self.make_another()
            tokens = self.log_in()
        return tokens["accessToken"]

    def log_in(self):
        variables = {"n": self.name, "p": PASSWORD}
        answer = requests.post(URL, json={"query": LOGIN, "variables": variables}, timeout=20).json()
        return answer["data"]["login"]["tokens"]

    def make_another(self):
        self.made += 1
        self.name = f"admin-{self.made}"
        command = [PROGRAM, "user", "create", self.name, "--admin", "--password-stdin"]
        subprocess.run(command, input=PASSWORD, text=True, check=True)

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.check
def only_coded_errors(context, response, case):
    """No fault of ours, no internal text, a code for each error."""
    text = response.text
    for word in INTERNAL:
        assert word not in text, f"{word!r} in {text[:500]}"
    for error in response.json().get("errors", []):
        code = error.get("extensions", {}).get("code")
        assert code in CODES, f"code {code}: {text[:500]}"
        # A guard that refused would have kept the rest from being tried.
        assert code != "UNAUTHENTICATED", text[:500]
