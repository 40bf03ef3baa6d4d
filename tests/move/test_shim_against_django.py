"""The endpoints at --simplejwt-endpoints answer as Django with SimpleJWT does."""

import json

import pytest

import simplejwt_answers
from django_site import NEWEST, get, post
from records import claims

assert NEWEST.simplejwt == (5, 5, 1)


@pytest.fixture(scope="module", params=[("default", "sqlite"), ("email", "postgres")], ids=lambda pair: "-".join(pair))
def pair(request, make_site, make_service):
    """A site and a service with its accounts, both served."""
    model, kind = request.param
    site, service = make_site(model=model), make_service(kind)
    population = site.populate(users=16, logins=10)
    site.export()
    service.import_file(site.directory / "export.ndjson", "--apply")
    replica = service.start(*service.accept(site), "--simplejwt-endpoints", "/api/token")
    with site.serve() as url:
        yield site, population, f"{url}/api/token", f"{replica.url}/api/token"
    service.stop()


def test_every_answer_is_the_same(pair):
    site, population, theirs, ours = pair
    user = next(user for user in population.users if user["can_log_in"] and user["is_active"] and user["password"].isascii())
    answers = [
        list(simplejwt_answers.answers(base, user["username"], user["password"], site.login_field))
        for base in (theirs, ours)
    ]
    assert len(answers[0]) == len(answers[1]) > 150
    different = [(their, our) for their, our in zip(*answers) if their != our]
    assert not different, "\n".join(f"{json.dumps(their)}\n{json.dumps(our)}" for their, our in different)
