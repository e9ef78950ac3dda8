"""`manage.py rotate_key`: replaces the secret key in the data directory."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from vizportal import secret


class Command(BaseCommand):
    """Replaces the key file; refuses if SECRET_KEY is set, because the key is then changed there (docs/security.md)."""

    help = "Replace the data directory's secret_key. Anything that the old key signed stays valid for now."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--drop-old", action="store_true", help="the old key leaked: invalidate everything that it signed, at once"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"):
            raise CommandError(
                "SECRET_KEY is configured: change it there, with SECRET_KEY_FALLBACKS (docs/security.md)."
            )
        secret.rotate(settings.VIZPORTAL_DATA_DIR, is_old_dropped=options["drop_old"])
        self.stdout.write("The key was replaced. Restart the portal to use it.")
        if options["drop_old"]:
            self.stdout.write("Then everybody must sign in again.")
        else:
            self.stdout.write(f"The old key is accepted for {settings.VIZPORTAL_SESSION_HOURS} more hours.")
