#!/usr/bin/env python3
"""Time and memory of `sallyport import` with generated accounts.

    cargo build --locked --profile dist --bin sallyport
    tests/postgres benches/import.py [USERS]

SQLite is always measured, and PostgreSQL where TEST_POSTGRES_URL names a server.
"""

import base64
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BINARY = Path(__file__).resolve().parent.parent / "target/dist/sallyport"


def lines(users):
    numbers = random.Random(1)
    yield {"format": "sallyport-import", "version": 1, "source": "bench"}
    for number in range(users):
        digest = base64.b64encode(numbers.randbytes(32)).decode()
        yield {
            "kind": "user",
            "id": str(number),
            "username": "user%07d" % number,
            "email": "user%07d@example.com" % number,
            "password": "pbkdf2_sha256$600000$%022d$%s" % (number, digest),
            "is_active": number % 20 != 0,
            "is_staff": number % 100 == 0,
            "groups": ["staff"],
            "date_joined": "2024-01-01T00:00:00.123456Z",
            "last_login": "2026-01-01T00:00:%02dZ" % (number % 60),
        }
    tokens = users // 3
    for number in range(tokens):
        yield {
            "kind": "outstanding",
            "jti": "%032x" % numbers.getrandbits(128),
            "user_id": str(number),
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2100-01-01T00:00:00Z",
        }
    yield {"kind": "end", "users": users, "outstanding": tokens, "blacklisted": 0}


def measure(name, file, users, url, *flags):
    command = [BINARY, "import", file, "--database-url", url, *flags]
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began
    # The most that any process so far has had.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{name:34} {took:7.1f} s {users / took:9.0f} users/s {peak:5} MB", flush=True)


def main():
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "import.ndjson"
        with open(file, "w", encoding="ascii") as output:
            for line in lines(users):
                output.write(json.dumps(line) + "\n")
        databases = {"SQLite": f"sqlite://{directory}/import.db"}
        if "TEST_POSTGRES_URL" in os.environ:
            databases["PostgreSQL"] = os.environ["TEST_POSTGRES_URL"]
        for name, url in databases.items():
            measure(f"{name}: dry run", file, users, url)
            measure(f"{name}: first import", file, users, url, "--apply")
            measure(f"{name}: the same again", file, users, url, "--apply")


main()
