"""Blacklists tokens, deactivates and deletes accounts, and makes expired tokens, as JSON on standard input
says. Writes the expired tokens by user id."""

import json
import sys
from datetime import datetime, timedelta, timezone

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken


class Command(BaseCommand):
    def handle(self, **options):
        changes = json.load(sys.stdin)
        for token in changes.get("blacklist", ()):
            RefreshToken(token).blacklist()
        field = api_settings.USER_ID_FIELD
        users = {user_id: get_user_model().objects.get(**{field: user_id})
                 for name in ("expired", "deactivate", "delete") for user_id in changes.get(name, ())}
        expired = {user_id: self.expired(users[user_id]) for user_id in changes.get("expired", ())}
        for user_id in changes.get("deactivate", ()):
            users[user_id].is_active = False
            users[user_id].save()
        for user_id in changes.get("delete", ()):
            users[user_id].delete()
        self.stdout.write(json.dumps(expired))

    def expired(self, user):
        token = RefreshToken.for_user(user)
        past = datetime.now(timezone.utc) - timedelta(days=1)
        token.set_exp(from_time=past, lifetime=timedelta(hours=1))
        row = OutstandingToken.objects.get(jti=token["jti"])
        row.expires_at -= timedelta(days=1, hours=23)
        row.token = str(token)
        row.save()
        return str(token)
