"""Settings of the site, some of them from its site.json: see django_site.py."""

import json
import os
import pathlib
from datetime import timedelta
from urllib.parse import urlsplit

DIRECTORY = pathlib.Path(os.environ["MOVE_SITE"])
SITE = json.loads((DIRECTORY / "site.json").read_text())

SECRET_KEY = SITE["secret_key"]
DEBUG = SITE["debug"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
# A naive time is then five hours from UTC, and four in summer.
TIME_ZONE = "America/New_York"
USE_TZ = SITE["use_tz"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    *{"email": ["email_accounts"], "computed": ["computed_accounts"]}.get(SITE["model"], []),
    "population",
]
MIDDLEWARE = []
if SITE["blacklist_app"]:
    INSTALLED_APPS.append("rest_framework_simplejwt.token_blacklist")
if SITE["allauth"]:
    INSTALLED_APPS += ["allauth", "allauth.account"]
    MIDDLEWARE.append("allauth.account.middleware.AccountMiddleware")

AUTH_USER_MODEL = {
    "default": "auth.User",
    "email": "email_accounts.EmailUser",
    "computed": "computed_accounts.ComputedUser",
}[SITE["model"]]

url = urlsplit(SITE["database_url"] or "")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": url.hostname,
        "PORT": url.port,
        "USER": url.username,
        "NAME": url.path.strip("/"),
    }
    if url.scheme
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / "site.db",
        "OPTIONS": {"timeout": 20},
    }
}

# The first one is for new passwords, and for old ones after a login. All are cheaper than Django's.
PASSWORD_HASHERS = [
    "population.hashes.CheapPBKDF2",
    *(f"population.hashes.{name}" for name in SITE["other_hashers"]),
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    **SITE["simple_jwt"],
}
if SITE["model"] == "computed":
    SIMPLE_JWT["USER_ID_FIELD"] = "public_id"

SALLYPORT_ISSUER = "https://auth.example.com"
SALLYPORT_REFRESH_KEY_FILE = str(DIRECTORY / "refresh-key")

globals().update(SITE["settings"])
