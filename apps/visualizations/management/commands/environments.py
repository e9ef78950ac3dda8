"""manage.py environments: lists the environments of renders, and builds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from renderer import EnvironmentUnusableError

from apps.visualizations.build_progress import EVERY_S, build_told
from apps.visualizations.environments import environments
from apps.visualizations.services.assets import assets_publish


class Command(BaseCommand):
    """`environments list` and `environments build KEY`."""

    help = "List the environments that renders run in, or build one."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("list", help="show every environment and whether it is built")
        build = commands.add_parser("build", help="build one from its lock file, or bring it up to date")
        build.add_argument("key")
        build.add_argument("--if-needed", action="store_true", help="do nothing if it is up to date")
        build.add_argument(
            "--without-bytecode",
            action="store_true",
            help="do not compile its modules: it is built seconds earlier, and renders import them more slowly",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["command"] == "list":
                self._list()
            else:
                self._build(options["key"], options)
        except EnvironmentUnusableError as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        for each in environments().get_all():
            state = "built" if each.is_current else "out of date" if each.is_built else "not built"
            self.stdout.write(f"{each.key:10} {state:12} {each.lock_digest}  {len(each.packages)} packages")

    def _build(self, key: str, options: Mapping[str, Any]) -> None:
        if options["if_needed"] and environments().get(key).is_current:
            self.stdout.write(f"{key} is up to date.")
        else:
            shows_progress = self.stdout.isatty()
            with build_told(key, self._say, every_s=None if shows_progress else EVERY_S) as tell:
                built = environments().build(
                    key, tell, shows_progress=shows_progress, compiles_bytecode=not options["without_bytecode"]
                )
            self.stdout.write(self.style.SUCCESS(f"{key} is built: {built.interpreter}"))
        self._publish(key)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _publish(self, key: str) -> None:
        try:
            count = assets_publish(settings.VIZPORTAL_ENVIRONMENTS_DIR / key)
        except OSError as error:
            # An image is built without the store it will run with; its workers publish when they start.
            self.stderr.write(f"The libraries' JavaScript is not in the store yet: {error}")
        else:
            self.stdout.write(f"{count} new files in the store of library code.")
