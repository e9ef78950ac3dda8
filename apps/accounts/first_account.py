"""A portal with passwords and without an account: nobody can sign in, and the sign-in page says how that changes."""

from __future__ import annotations

from typing import Final

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

FIRST_ACCOUNT: Final = ".venv/bin/python manage.py createsuperuser"
"""The command, on the portal's machine and with its settings."""


def has_accounts() -> bool:
    """Whether anybody could sign in with a password. The user of VIZPORTAL_AUTH=local has none."""
    people = get_user_model().objects.filter(is_active=True).exclude(password="")
    return people.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()
