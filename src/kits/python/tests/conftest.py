from collections.abc import Iterator

import pytest

from front import Front, Key
from service import Sallyport


@pytest.fixture(scope="session")
def service() -> Iterator[Sallyport]:
    """A service for tests that do not stop it."""
    one = Sallyport()
    yield one
    one.stop()


@pytest.fixture
def front() -> Iterator[Front]:
    """A server of public keys, with one key."""
    one = Front()
    one.keys.append(Key())
    yield one
    one.stop()
