"""A site that accepts tokens of Sallyport, and those that SimpleJWT issued there before."""

import os
from datetime import timedelta

import django
from django.conf import settings as django_settings
from settings import ISSUER, PASSWORD, URL

CLASSES = os.environ["DJANGO_CLASSES"].split(",")
LEGACY = "rest_framework_simplejwt.tokens.AccessToken"

django_settings.configure(
    SECRET_KEY="a secret of the tests, of thirty-two bytes and more",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=[f"{__name__}.tell_process"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DJANGO_DATABASE"]}},
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": CLASSES,
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
        # The second class is the variant without the guard.
        "AUTH_TOKEN_CLASSES": [LEGACY] if len(CLASSES) > 1 else [LEGACY, "without_kit.SallyportToken"],
    },
    SALLYPORT={"ISSUER": ISSUER, "URL": URL, "USERNAME": "admin", "PASSWORD": PASSWORD},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402


def tell_process(get_response):  # type: ignore[no-untyped-def]
    def middleware(request):  # type: ignore[no-untyped-def]
        response = get_response(request)
        response["X-Process"] = str(os.getpid())
        return response

    return middleware


@api_view()
def me(request):  # type: ignore[no-untyped-def]
    return Response({"user": request.user.pk, "sid": getattr(request.auth, "session_id", None)})


urlpatterns = [path("open", lambda _: HttpResponse("open")), path("me", me)]
app = get_wsgi_application()
