"""Makes accounts with hashes of every form; writes them as JSON, with their passwords."""

import json
import unicodedata
from datetime import datetime, timedelta, timezone

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from population.hashes import OLD, SCHEMES, UNKNOWN

GROUPS = ("authors", "editors")
NEEDS = {"sha1": "SHA1", "sha1_unsalted": "UnsaltedSHA1"}


def password_of(number):
    words = f"harbour violet lantern {number}"
    forms = {
        3: unicodedata.normalize("NFC", f"Zürich Ångström {words}"),
        5: unicodedata.normalize("NFD", f"Zürich Ångström {words}"),
        7: f"{words} ".ljust(100, "x"),
        9: f"{words} ".ljust(300, "y"),
    }
    return forms.get(number % 11, words)


def is_known(scheme):
    """Whether this Django checks hashes of a scheme, from its settings."""
    if scheme.startswith("md5_unsalted"):
        return "UnsaltedMD5" in OLD
    return scheme not in NEEDS or NEEDS[scheme] in OLD


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("users", type=int)
        parser.add_argument("--unknown", action="store_true", help="add hashes that no password fits")

    @transaction.atomic
    def handle(self, users, unknown, **options):
        self.groups = [Group.objects.get_or_create(name=name)[0] for name in GROUPS]
        schemes = list(SCHEMES)
        made = [self.make(number, schemes[number % len(schemes)]) for number in range(users)]
        if unknown:
            made += [self.make_unknown(scheme, text) for scheme, text in UNKNOWN.items()]
        self.stdout.write(json.dumps(made))

    def make(self, number, scheme):
        password = password_of(number)
        hash_text = SCHEMES[scheme](password, f"salt{number:08}")
        if scheme == "unusable":
            password = None
        elif is_known(scheme):
            assert check_password(password, hash_text), scheme
        made = self.save(f"user{number}", hash_text, number)
        return dict(made, password=password, scheme=scheme, can_log_in=password is not None and is_known(scheme))

    def make_unknown(self, scheme, hash_text):
        return dict(self.save(f"unknown-{scheme}", hash_text, 1), password=None, scheme=scheme, can_log_in=False)

    def save(self, name, hash_text, number):
        model, kind = get_user_model(), settings.SITE["model"]
        email = f"{name}@example.com"
        user = model(password=hash_text, last_login=None if number % 3 else moment(number, 100))
        setattr(user, model.USERNAME_FIELD, email if kind == "email" else name)
        # Not every account of Django's own model has an address.
        setattr(user, model.get_email_field_name(), "" if number % 17 == 2 and kind != "email" else email)
        if kind == "computed":
            user.rank = "owner" if number == 0 else "staff" if number % 10 == 0 else "member"
        else:
            user.is_superuser = number == 0
            user.is_staff = number % 10 == 0
            user.date_joined = moment(number, 400)
        user.save()
        groups = []
        if kind != "computed" and number % 4 == 0:
            groups = self.groups[: 1 + number % 8 // 4]
            user.groups.set(groups)
        return {
            "id": str(getattr(user, settings.SIMPLE_JWT.get("USER_ID_FIELD", "id"))),
            "username": user.get_username(),
            "email": getattr(user, model.get_email_field_name()),
            "hash": hash_text,
            "is_active": True,
            "is_staff": number % 10 == 0,
            "is_superuser": number == 0,
            "groups": [group.name for group in groups],
        }


def moment(number, days):
    """A time in the past; naive where the site's times are."""
    time = datetime(2025, 7, 1, 12, tzinfo=timezone.utc) - timedelta(days=days, seconds=number)
    if settings.USE_TZ:
        return time
    from zoneinfo import ZoneInfo

    return time.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(tzinfo=None)
