"""The guard of the apps, from environment variables of the tests."""

import os

from sallyport import Guard

URL, ISSUER, PASSWORD = (os.environ[name] for name in ("GUARD_URL", "GUARD_ISSUER", "GUARD_PASSWORD"))


def make_guard() -> Guard:
    return Guard(ISSUER, url=URL, username="admin", password=PASSWORD)
