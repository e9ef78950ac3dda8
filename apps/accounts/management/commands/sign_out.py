"""manage.py sign_out: ends people's sessions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import sessions
from apps.accounts.caller import command_caller


class Command(BaseCommand):
    """Signs out one person, or everybody."""

    help = "Sign a person out in every browser, or with --everybody all people. Tokens of scripts stay valid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="who")
        parser.add_argument("--everybody", action="store_true", help="all people")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["username"]) == options["everybody"]:
            raise CommandError("Name one account, or use --everybody.")
        caller = command_caller()
        if options["everybody"]:
            count, name = sessions.sign_out_everybody(caller), "everybody"
        else:
            user = get_user_model().objects.filter(username=options["username"]).first()
            if user is None:
                raise CommandError(f"There is no account {options['username']!r}.")
            count, name = sessions.sign_out_everywhere(caller, user), str(user)
        self.stdout.write(f"{name}: {count} sign-ins ended.")
