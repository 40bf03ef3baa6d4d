"""Records of NDJSON files, and the claims of tokens."""

import json
import urllib.request
from datetime import datetime, timezone

import jwt


def of_kind(kind, records):
    return [record for record in records if record.get("kind") == kind]


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def seconds(text):
    """Unix time of RFC 3339 in UTC."""
    assert text.endswith("Z"), text
    return datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc).timestamp()


def graphql_request(url, query, variables, bearer=None):
    headers = {"Content-Type": "application/json", "Connection": "close"}
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    return urllib.request.Request(f"{url}/graphql", body, headers)
