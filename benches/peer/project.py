"""A Django project with SimpleJWT and its blacklist, as its users set it up: what it is measured against.

DATABASE_URL says where its data are: sqlite:PATH, or postgres://USER@HOST:PORT/NAME. Both durable,
both with the connections kept.

    python project.py migrate
    python project.py pairs N      makes a user, and prints N pairs of access and refresh tokens
    gunicorn project:application
"""

import os
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import django
from django.conf import settings


def database(url):
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path,
            "CONN_MAX_AGE": None,
            "OPTIONS": options,
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": None,
    }


settings.configure(
    SECRET_KEY="known to everybody, since it guards nothing: " + "0123456789abcdef" * 2,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    USE_I18N=False,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={"default": database(os.environ["DATABASE_URL"])},
    PASSWORD_HASHERS=["project.Argon2"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(hours=2),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
    LOGGING_CONFIG=None,
)
# Its settings name this module, which is another one while it is run as a program.
sys.modules.setdefault("project", sys.modules[__name__])
django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_simplejwt import views  # noqa: E402


class Argon2(Argon2PasswordHasher):
    """argon2id with the parameters of the service."""

    memory_cost, time_cost, parallelism = 19456, 2, 1


class Me(APIView):
    """What is protected."""

    def get(self, request):
        return Response({"id": request.user.pk, "username": request.user.get_username()})


urlpatterns = [
    path("login/", views.TokenObtainPairView.as_view()),
    path("token/refresh/", views.TokenRefreshView.as_view()),
    path("me/", Me.as_view()),
]
application = get_wsgi_application()


def print_pairs(count):
    from django.contrib.auth.models import User
    from rest_framework_simplejwt.tokens import RefreshToken

    user = User.objects.create_user("admin", password="tangerine-orbit-quartz-41")
    for _ in range(count):
        token = RefreshToken.for_user(user)
        print(token.access_token, token)


if __name__ == "__main__":
    if sys.argv[1] == "pairs":
        print_pairs(int(sys.argv[2]))
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
