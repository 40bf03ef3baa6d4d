"""Loads what changed in Sallyport back into a Django site: users, and the refresh tokens of live sessions.

    SALLYPORT_LOAD=FILE python manage.py shell < sallyport_load.py

FILE is what `sallyport export django` wrote. This one file runs inside the site and needs Python 3.6,
Django 1.11 and, for tokens, SimpleJWT's blacklist app.

It is one transaction, and a file may be loaded again. Lines that do not fit are left out and listed, and
the exit status is then 1. Accounts are found by id. Nobody gets rights here: `is_staff`, `is_superuser` and
groups stay as they are, and new accounts have none.
"""

import contextlib
import json
import os
import sys
from datetime import datetime, timezone

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DatabaseError, router, transaction

# Kinds of lines, and the members of the last line that count them.
COUNTED = {"user": "users", "session": "sessions", "blacklisted": "blacklisted"}
BATCH = 500
MAX_LISTED = 100


class Refused(Exception):
    """The whole file cannot be loaded."""


class Skipped(Exception):
    """A line, or a part of it, cannot be loaded."""


def read(path):
    """The records of a file after its header."""
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                kind = record["format" if number == 1 else "kind"]
            except (ValueError, KeyError, TypeError):
                raise Refused("line %d is not a record" % number)
            if number > 1:
                yield kind, record
            elif (kind, record.get("version"), record.get("source")) != ("sallyport-import", 1, "sallyport"):
                raise Refused("it is not what `sallyport export django` writes")


def check(path):
    """Counts of a whole file. It is read once before anything is written, because a file that was cut off
    must not be loaded."""
    counts = dict.fromkeys(COUNTED, 0)
    end = None
    for kind, record in read(path):
        if end is not None:
            raise Refused("there are lines after its end")
        if kind == "end":
            end = record
        elif kind in counts:
            counts[kind] += 1
        else:
            raise Refused("it has records of the unknown kind %r" % kind)
    if end is None or any(end.get(name, 0) != counts[kind] for kind, name in COUNTED.items()):
        raise Refused("it is not complete")
    return counts


class Report:
    """Counts on standard output, and lines that were left out on standard error."""

    def __init__(self):
        self.counts = {}
        self.problems = 0

    def count(self, name, number=1):
        self.counts[name] = self.counts.get(name, 0) + number

    def problem(self, text):
        self.problems += 1
        if self.problems <= MAX_LISTED:
            sys.stderr.write("%s.\n" % text)

    def finish(self):
        for name, number in sorted(self.counts.items()):
            print("%8d %s" % (number, name))
        if self.problems:
            print("%8d problems" % self.problems)
            sys.exit(1)


class Users:
    """Accounts of the site's user model."""

    def __init__(self):
        self.model = get_user_model()
        self.alias = router.db_for_write(self.model)
        self.rows = self.model._base_manager.using(self.alias)
        self.id_field = self.field(simplejwt_user_id_field()) or self.model._meta.pk
        self.username = self.field(self.model.USERNAME_FIELD)
        self.email = self.field(getattr(self.model, "EMAIL_FIELD", None) or "email")
        self.is_active = self.field("is_active")
        # Primary keys of the accounts that Sallyport made, by name there.
        self.new = {}

    def field(self, name):
        try:
            return self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return None

    def keys(self, ids):
        """Primary keys of the accounts with these ids."""
        valid = {}
        for text in ids:
            with contextlib.suppress(ValidationError):
                valid[self.id_field.to_python(text)] = text
        name = self.id_field.name
        found = self.rows.filter(**{name + "__in": list(valid)}).values_list(name, "pk")
        return {valid[value]: key for value, key in found}

    def load(self, record, report):
        secret = {"password": record.get("password")}
        if isinstance(record.get("is_active"), bool):
            secret["is_active"] = record["is_active"]
        names = {self.username.name: record.get("username")}
        if self.email:
            # Also where the address is the name to log in by.
            names[self.email.name] = record.get("email")
        # What is empty replaces nothing.
        secret, names = without_empty(secret), without_empty(names)
        if record.get("id") is None:
            self.new[record["username"]] = self.load_new(dict(secret, **names), report)
            return
        user = self.rows.filter(pk=self.keys([record["id"]]).get(record["id"])).first()
        if user is None:
            raise Skipped("There is no account with the id %s" % record["id"])
        changes = self.save(user, secret)
        # Somebody else may have the name here; the password counts all the same.
        changes += self.save(user, names)
        report.count("users changed" if changes else "users unchanged")

    def load_new(self, values, report):
        """Makes an account; answers its primary key. A name alone never reaches an account that was here
        before."""
        name = values.get(self.username.name)
        if name is None:
            raise Skipped("A new account has no %s" % self.username.name)
        user = self.rows.filter(**{self.username.name: name}).first()
        if user is not None and user.password != values.get("password"):
            raise Skipped("There is another account with the name %s" % name)
        if user is not None:
            changes = self.save(user, {key: values[key] for key in ("is_active",) if key in values})
            report.count("users changed" if changes else "users unchanged")
        else:
            user = self.model(password=make_password(None))
            self.save(user, values)
            report.count("users created")
        return user.pk

    def save(self, user, values):
        """Writes columns that differ; answers how many."""
        is_new = user._state.adding
        changed = [name for name in values if getattr(user, name) != values[name]]
        for name in changed:
            field = self.field(name)
            if field is None:
                raise Skipped("The user model has no column %s, for %s" % (name, user.get_username()))
            # SQLite does not limit the length by itself.
            if field.max_length and len(values[name]) > field.max_length:
                raise Skipped("%s is too long, for %s" % (name, user.get_username()))
        if not changed and not is_new:
            return 0
        before = {name: getattr(user, name) for name in changed}
        for name in changed:
            setattr(user, name, values[name])
        try:
            with transaction.atomic(using=self.alias):
                # Not with update(): the site's own handlers of signals see changes.
                user.save(using=self.alias, update_fields=None if is_new else changed)
        except DatabaseError as error:
            identity = before.get(self.username.name) or user.get_username()
            raise Skipped("%s, for %s" % (str(error).split("\n")[0], identity))
        return len(changed)


def without_empty(values):
    return {name: value for name, value in values.items() if value not in (None, "")}


def simplejwt_user_id_field():
    try:
        from rest_framework_simplejwt.settings import api_settings
    except ImportError:
        return "id"
    return api_settings.USER_ID_FIELD


class Tokens:
    """Rows of the blacklist app. Those of Sallyport's tokens have the jti only."""

    def __init__(self, users):
        self.users = users
        self.model = apps.get_model("token_blacklist", "OutstandingToken")
        self.alias = router.db_for_write(self.model)
        self.rows = self.model._base_manager.using(self.alias)
        blacklisted = apps.get_model("token_blacklist", "BlacklistedToken")
        self.blacklisted = blacklisted._base_manager.using(self.alias)
        self.batch = []

    def forget(self):
        """Takes back the sessions of an earlier load, which may have ended or been refreshed since."""
        unused = self.rows.filter(token="", blacklistedtoken__isnull=True)
        while True:
            keys = list(unused.values_list("pk", flat=True)[:BATCH])
            if not keys:
                return
            self.rows.filter(pk__in=keys).delete()

    def load(self, record, report):
        self.batch.append(record)
        if len(self.batch) == BATCH:
            self.flush(report)

    def flush(self, report):
        batch, self.batch = self.batch, []
        keys = self.users.keys({record["user_id"] for record in batch if record["user_id"] is not None})
        jtis = [record["jti"] for record in batch]
        known = set(self.rows.filter(jti__in=jtis).values_list("jti", flat=True))
        rows = []
        for record in batch:
            jti, user_id = record["jti"], record["user_id"]
            key = self.users.new.get(record.get("username")) if user_id is None else keys.get(user_id)
            if jti in known:
                report.count("sessions used before")
            elif key is None:
                report.problem("There is no account for the session with the token %s" % jti)
            else:
                created_at, expires_at = as_time(record["created_at"]), as_time(record["expires_at"])
                rows.append(self.model(
                    jti=jti, user_id=key, token="", created_at=created_at, expires_at=expires_at,
                ))
        self.rows.bulk_create(rows)
        report.count("sessions", len(rows))

    def load_blacklisted(self, record, report):
        """A token of this site that Sallyport has exchanged or ended must not live again."""
        row, _ = self.rows.get_or_create(
            jti=record["jti"], defaults={"token": "", "expires_at": as_time(record["expires_at"])},
        )
        _, is_new = self.blacklisted.get_or_create(token=row)
        report.count("tokens blacklisted" if is_new else "tokens blacklisted before")


def as_time(text):
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    time = datetime.strptime(text, form)
    # SimpleJWT's own times are UTC even where Django's are naive local times.
    return time.replace(tzinfo=timezone.utc) if settings.USE_TZ else time


def load(path, counts, report):
    users = Users()
    aliases = {users.alias}
    tokens = None
    if apps.is_installed("rest_framework_simplejwt.token_blacklist"):
        tokens = Tokens(users)
        aliases.add(tokens.alias)
    elif counts["session"] or counts["blacklisted"]:
        raise Refused("it has tokens, and SimpleJWT's blacklist app is not installed")
    with contextlib.ExitStack() as stack:
        for alias in sorted(aliases):
            stack.enter_context(transaction.atomic(using=alias))
        if tokens:
            tokens.forget()
        loaders = {"user": users.load}
        if tokens:
            loaders.update(session=tokens.load, blacklisted=tokens.load_blacklisted)
        for kind, record in read(path):
            try:
                if kind in loaders:
                    loaders[kind](record, report)
            except Skipped as skipped:
                report.problem(str(skipped))
        if tokens:
            tokens.flush(report)


def main():
    path = os.environ.get("SALLYPORT_LOAD")
    if not path:
        sys.exit("sallyport_load: SALLYPORT_LOAD names no file")
    report = Report()
    try:
        load(path, check(path), report)
    except OSError as error:
        sys.exit("sallyport_load: cannot read %s: %s" % (path, error.strerror))
    except Refused as refused:
        sys.exit("sallyport_load: %s is not loaded: %s" % (path, refused))
    report.finish()


# Until 3.1, Django's shell ran this file with its names as local ones, which functions do not see.
globals().update(locals())
main()
