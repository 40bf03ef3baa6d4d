import itertools

import pytest

from django_site import ENVIRONMENTS, NEWEST, Site
from service import Service

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def make_site(tmp_path_factory):
    """Makes a site; the arguments are those of Site."""
    directory = tmp_path_factory.mktemp("sites")
    return lambda environment=NEWEST, model="default", **options: Site(
        directory / f"site{next(NUMBERS)}", environment, model, **options,
    )


@pytest.fixture(scope="session")
def make_service(tmp_path_factory):
    """Makes a service; the arguments are those of Service. Its servers are killed at the end."""
    directory, made = tmp_path_factory.mktemp("services"), []

    def make(kind, **options):
        made.append(Service(directory / f"service{next(NUMBERS)}", kind, **options))
        return made[-1]

    yield make
    for service in made:
        service.stop()


@pytest.fixture(scope="session", params=[ENVIRONMENTS[0], NEWEST], ids=lambda environment: environment.name)
def site(request, make_site):
    """A site of the oldest and of the newest version, with accounts and tokens. Tests only read it."""
    site = make_site(request.param)
    site.populate(users=20, logins=10)
    return site


EVERYWHERE = [(environment, "default") for environment in ENVIRONMENTS]
EVERYWHERE += [(environment, "email") for environment in (ENVIRONMENTS[0], NEWEST)]


@pytest.fixture(scope="session", params=EVERYWHERE, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def populated(request, make_site):
    """A site of each version, and both models in the oldest and the newest, with its population. Tests only read it."""
    site = make_site(*request.param)
    return site, site.populate()
