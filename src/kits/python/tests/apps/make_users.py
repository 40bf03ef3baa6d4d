"""Creates the tables, the users 1 (active) and 2 (inactive), and prints their tokens by SimpleJWT."""

import json

import django_app  # noqa: F401
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework_simplejwt.tokens import AccessToken

call_command("migrate", verbosity=0)
active = User.objects.create(pk=1, username="ada")
inactive = User.objects.create(pk=2, username="bob", is_active=False)
print(json.dumps([str(AccessToken.for_user(one)) for one in (active, inactive)]))
