"""Export of a Django site's users and refresh tokens, to be imported into Sallyport.

    python manage.py shell < sallyport_export.py

This one file runs inside the site, with the site's settings, user model and database, and only reads. It
needs Python 3.6, Django 1.11 and nothing else; tokens are exported where SimpleJWT's blacklist app is
installed.

SALLYPORT_EXPORT names the file to write, by default sallyport-export.ndjson; "-" is standard output. The
file contains password hashes, so nobody but its owner may read it. It contains no key and no token: the
column of tokens is not even read.
"""

import contextlib
import json
import os
import stat
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router, transaction
from django.utils.timezone import get_default_timezone

BATCH = 500
SECONDS_BETWEEN_PROGRESS = 5

# Settings of SimpleJWT that the importer compares with those of Sallyport. The keys are not among them.
TOKEN_SETTINGS = (
    "USER_ID_CLAIM", "JTI_CLAIM", "TOKEN_TYPE_CLAIM", "ALGORITHM", "ISSUER", "ROTATE_REFRESH_TOKENS",
    "BLACKLIST_AFTER_ROTATION", "CHECK_REVOKE_TOKEN", "REVOKE_TOKEN_CLAIM", "CHECK_USER_IS_ACTIVE",
    "UPDATE_LAST_LOGIN",
)
DURATIONS = ("LEEWAY", "ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME")


class Output:
    """NDJSON with a count of each kind, and the progress on standard error."""

    def __init__(self, stream):
        self.stream = stream
        self.counts = {"user": 0, "outstanding": 0, "blacklisted": 0}
        self.started = self.reported = time.time()
        self.is_terminal = sys.stderr.isatty()

    def line(self, record):
        # ASCII, whatever the encoding of standard output is.
        self.stream.write(json.dumps(record, separators=(",", ":"), default=str) + "\n")

    def write(self, kind, **record):
        self.line(dict([("kind", kind)], **record))
        self.counts[kind] += 1

    def end(self):
        users, outstanding, blacklisted = self.counts.values()
        self.line({"kind": "end", "users": users, "outstanding": outstanding, "blacklisted": blacklisted})
        self.stream.flush()

    def progress(self, is_last=False):
        now = time.time()
        pause = 0.2 if self.is_terminal else SECONDS_BETWEEN_PROGRESS
        if now - self.reported < pause and not is_last:
            return
        self.reported = now
        rate = sum(self.counts.values()) / max(now - self.started, 0.001)
        users, outstanding, blacklisted = self.counts.values()
        text = "%d users, %d outstanding tokens, %d blacklisted tokens, %d a second" % (
            users, outstanding, blacklisted, rate,
        )
        ending = "\r" if self.is_terminal and not is_last else "\n"
        sys.stderr.write(text + ending)
        sys.stderr.flush()


def batches(queryset, key):
    """Lists of rows in the order of the primary key. Each is a query of its own, because several databases
    would send the whole result of one query to memory."""
    last = None
    while True:
        rest = queryset if last is None else queryset.filter(pk__gt=last)
        rows = list(rest.order_by("pk")[:BATCH])
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = key(rows[-1])


def as_utc(value, zone):
    """RFC 3339 in UTC. A naive time is one of `zone`."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    try:
        if value.tzinfo is None:
            # Zones of pytz, which Django had until 4.0, cannot be set as tzinfo.
            localize = getattr(zone, "localize", None)
            value = localize(value, is_dst=False) if localize else value.replace(tzinfo=zone)
        return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"
    except (OverflowError, ValueError):
        return None


def is_column(model, name):
    try:
        return name == "pk" or model._meta.get_field(name).concrete
    except FieldDoesNotExist:
        return False


class Users:
    """Accounts of the site's user model, whatever its fields are."""

    def __init__(self, id_field):
        self.model = get_user_model()
        self.alias = router.db_for_write(self.model)
        self.id_field = id_field if id_field and is_column(self.model, id_field) else "pk"
        self.username_field = self.model.USERNAME_FIELD
        self.email_field = getattr(self.model, "EMAIL_FIELD", None) or "email"
        names = {
            self.id_field, self.username_field, self.email_field, "password", "is_active", "is_staff",
            "is_superuser", "date_joined", "last_login",
        }
        self.columns = sorted(name for name in names if is_column(self.model, name))
        others = [name for name in names if name not in self.columns and hasattr(self.model, name)]
        # Class attributes, such as `is_active = True` of AbstractBaseUser.
        self.constants = {}
        for name in others:
            if isinstance(getattr(self.model, name), bool):
                self.constants[name] = getattr(self.model, name)
        # Properties and methods may use any column.
        self.computed = [name for name in others if name not in self.constants]
        self.has_groups = self.groups_have_names()

    def groups_have_names(self):
        try:
            groups = self.model._meta.get_field("groups")
        except FieldDoesNotExist:
            return False
        return bool(groups.many_to_many) and is_column(groups.related_model, "name")

    def batches(self):
        rows = self.model._default_manager.using(self.alias).select_related(None).prefetch_related(None)
        if not self.computed:
            for batch in batches(rows.values(*{"pk"}.union(self.columns)), lambda row: row["pk"]):
                yield [dict(self.constants, **row) for row in batch]
            return
        for batch in batches(rows, lambda user: user.pk):
            yield [self.with_computed(user) for user in batch]

    def with_computed(self, user):
        row = dict(self.constants, pk=user.pk)
        for name in self.columns + self.computed:
            value = getattr(user, name)
            row[name] = value() if callable(value) else value
        return row

    def export(self, output):
        zone = get_default_timezone()
        for batch in self.batches():
            first, last = batch[0]["pk"], batch[-1]["pk"]
            groups, verified = self.groups(first, last), self.verified_emails(first, last)
            for row in batch:
                key, email = row["pk"], row.get(self.email_field) or None
                output.write(
                    "user",
                    id=as_text(row[self.id_field]),
                    username=as_text(row[self.username_field]),
                    email=as_text(email),
                    email_verified=email is not None and as_text(email).lower() in verified.get(key, ()),
                    password=row.get("password"),
                    is_active=bool(row.get("is_active", True)),
                    is_staff=bool(row.get("is_staff", False)),
                    is_superuser=bool(row.get("is_superuser", False)),
                    groups=sorted(groups.get(key, ())),
                    date_joined=as_utc(row.get("date_joined"), zone),
                    last_login=as_utc(row.get("last_login"), zone),
                )
            output.progress()

    def groups(self, first, last):
        """Names of groups by primary key of the user."""
        if not self.has_groups:
            return {}
        users = self.model._base_manager.using(self.alias)
        members = users.filter(pk__gte=first, pk__lte=last, groups__isnull=False).order_by()
        return by_key(members.values_list("pk", "groups__name"))

    def verified_emails(self, first, last):
        """Addresses that allauth has verified, by primary key of the user."""
        if not apps.is_installed("allauth.account"):
            return {}
        addresses = apps.get_model("account", "EmailAddress")._base_manager.using(self.alias)
        verified = addresses.filter(user_id__gte=first, user_id__lte=last, verified=True).order_by()
        pairs = verified.values_list("user_id", "email")
        return by_key((key, email.lower()) for key, email in pairs)


def by_key(pairs):
    values = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return values


def as_text(value):
    return None if value is None else str(value)


class Tokens:
    """Refresh tokens that are not expired, of SimpleJWT's blacklist app."""

    def __init__(self, users, leeway):
        self.outstanding = apps.get_model("token_blacklist", "OutstandingToken")
        self.blacklisted = apps.get_model("token_blacklist", "BlacklistedToken")
        self.alias = router.db_for_write(self.outstanding)
        # The id that the claim in the token has, where that is not the primary key.
        is_key = users.id_field in ("pk", users.model._meta.pk.name)
        self.user = "user_id" if is_key else "user__" + users.id_field
        # SimpleJWT's own times are UTC even where Django's are naive local times.
        self.oldest = datetime.now(timezone.utc) - leeway
        if not settings.USE_TZ:
            self.oldest = self.oldest.replace(tzinfo=None)

    def export(self, output):
        rows = self.outstanding._base_manager.using(self.alias).filter(expires_at__gt=self.oldest)
        rows = rows.values_list("pk", "jti", self.user, "created_at", "expires_at")
        for batch in batches(rows, lambda row: row[0]):
            for _, jti, user_id, created_at, expires_at in batch:
                output.write(
                    "outstanding",
                    jti=jti_text(jti),
                    user_id=as_text(user_id),
                    created_at=as_utc(created_at, timezone.utc),
                    expires_at=as_utc(expires_at, timezone.utc),
                )
            output.progress()
        # After the outstanding ones, so that a token is not missed that is blacklisted meanwhile.
        rows = self.blacklisted._base_manager.using(self.alias).filter(token__expires_at__gt=self.oldest)
        rows = rows.values_list("pk", "token__jti", "blacklisted_at", "token__expires_at")
        zone = get_default_timezone()
        for batch in batches(rows, lambda row: row[0]):
            for _, jti, blacklisted_at, expires_at in batch:
                output.write(
                    "blacklisted",
                    jti=jti_text(jti),
                    blacklisted_at=as_utc(blacklisted_at, zone),
                    expires_at=as_utc(expires_at, timezone.utc),
                )
            output.progress()


def jti_text(jti):
    """The claim in the token. Its column was a UUID in the first versions of SimpleJWT."""
    return jti.hex if isinstance(jti, uuid.UUID) else str(jti)


def simplejwt_settings():
    try:
        from rest_framework_simplejwt.settings import api_settings
    except ImportError:
        return None
    return api_settings


def as_seconds(value):
    return value.total_seconds() if isinstance(value, timedelta) else value


def header_settings(users, jwt):
    """What the importer should know of the site. Settings that this version does not know are left out."""
    known = {
        "username_field": users.username_field,
        "email_field": users.email_field,
        "django_version": django.get_version(),
        "use_tz": settings.USE_TZ,
        "blacklist_app": apps.is_installed("rest_framework_simplejwt.token_blacklist"),
    }
    if jwt is None:
        return known
    import rest_framework_simplejwt

    known["simplejwt_version"] = getattr(rest_framework_simplejwt, "__version__", None)
    known["user_id_field"] = users.id_field
    for name in TOKEN_SETTINGS:
        if hasattr(jwt, name):
            known[name.lower()] = getattr(jwt, name)
    for name in DURATIONS:
        if hasattr(jwt, name):
            known[name.lower() + "_seconds"] = as_seconds(getattr(jwt, name))
    audience = getattr(jwt, "AUDIENCE", None)
    is_list = audience is not None and not isinstance(audience, str)
    known["audience"] = list(audience) if is_list else audience
    rule = getattr(jwt, "USER_AUTHENTICATION_RULE", None)
    own = "rest_framework_simplejwt.authentication"
    known["custom_user_authentication_rule"] = rule is not None and rule.__module__ != own
    return known


def begin_snapshot(stack, alias):
    """Lets all further queries see one state of the database, where that keeps no writer waiting."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone()[0] != "wal":
                return
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    stack.enter_context(transaction.atomic(using=alias))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def open_output(stack, path):
    if path == "-":
        return sys.stdout
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    stream = stack.enter_context(os.fdopen(descriptor, "w", encoding="ascii", newline="\n"))
    # A file that was there before keeps its mode otherwise.
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.chmod(path, 0o600)
    return stream


def main():
    jwt = simplejwt_settings()
    users = Users(getattr(jwt, "USER_ID_FIELD", None))
    known = header_settings(users, jwt)
    path = os.environ.get("SALLYPORT_EXPORT") or "sallyport-export.ndjson"
    with contextlib.ExitStack() as stack:
        try:
            output = Output(open_output(stack, path))
        except OSError as error:
            sys.exit("sallyport_export: cannot write %s: %s" % (path, error.strerror))
        exports = [users]
        if known["blacklist_app"]:
            leeway = timedelta(seconds=known.get("leeway_seconds") or 0)
            exports.append(Tokens(users, leeway))
        exported_at = as_utc(datetime.now(timezone.utc), timezone.utc)
        for alias in sorted({export.alias for export in exports}):
            begin_snapshot(stack, alias)
        output.line({
            "format": "sallyport-import", "version": 1, "source": "django", "exported_at": exported_at,
            "settings": known,
        })
        for export in exports:
            export.export(output)
        output.end()
    output.progress(is_last=True)
    if not known["blacklist_app"]:
        sys.stderr.write("SimpleJWT's blacklist app is not installed: there are no tokens to export.\n")


# Until 3.1, Django's shell ran this file with its names as local ones, which functions do not see.
globals().update(locals())
main()
