"""manage.py token: creates an API token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.caller import command_caller
from apps.accounts.local import local_user_get
from apps.visualizations.models import ApiToken
from apps.visualizations.services.tokens import token_create


class Command(BaseCommand):
    """`token create NAME`: prints the token, which is shown this once."""

    help = "Make a token for a script: Authorization: Bearer <token>."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="make a token and print it")
        create.add_argument("name", help="what it is for")
        create.add_argument("--user", default="", help="whose permissions it has; optional where nobody signs in")
        create.add_argument("--days", type=int, help="how long it is valid; without a limit by default")

    def handle(self, *args: Any, **options: Any) -> None:
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        token = ApiToken(user=self._user(options["user"]), name=options["name"], expires_at=expires_at)
        self.stdout.write(token_create(command_caller(), token))

    def _user(self, username: str) -> Any:
        if not username and settings.VIZPORTAL_AUTH == "local":
            return local_user_get()
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}. Name one with --user.")
        return user
