"""Accounts with columns of other names, properties in place of columns, no groups, and a public id that is
not the primary key. `is_active` is the constant of AbstractBaseUser."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class ComputedUser(AbstractBaseUser):
    number = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    handle = models.CharField(max_length=40, unique=True)
    address = models.EmailField(blank=True)
    rank = models.CharField(max_length=20, default="member")

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "address"

    objects = BaseUserManager()

    @property
    def is_staff(self):
        return self.rank in ("staff", "owner")

    def is_superuser(self):
        return self.rank == "owner"
