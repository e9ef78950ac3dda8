"""Detects a portal with password sign-in but no account, for which the sign-in page shows how to create one."""

from __future__ import annotations

from typing import Final

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

FIRST_ACCOUNT: Final = ".venv/bin/python manage.py createsuperuser"
"""Command to run on the portal's machine, with its settings."""


def has_accounts() -> bool:
    """Whether any account can sign in with a password; the user of VIZPORTAL_AUTH=local cannot."""
    people = get_user_model().objects.filter(is_active=True).exclude(password="")
    return people.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()
