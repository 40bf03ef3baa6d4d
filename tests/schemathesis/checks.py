"""What schemathesis is told beside the schema: how to log in, and what no answer may hold."""

import os

import requests
import schemathesis

URL = os.environ["SALLYPORT_URL"]
PASSWORD = os.environ["SALLYPORT_ADMIN_PASSWORD"]
LOGIN = """mutation($p: String!) {
    login(input: { username: "admin", password: $p }) { tokens { accessToken } }
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


@schemathesis.auth(refresh_interval=None)
class Administrator:
    """Logs in for each request: many of them end their own session, as they should."""

    def get(self, case, context):
        body = {"query": LOGIN, "variables": {"p": PASSWORD}}
        answer = requests.post(URL, json=body, timeout=20).json()
        return answer["data"]["login"]["tokens"]["accessToken"]

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
