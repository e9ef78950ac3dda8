"""manage.py queue: lists queues, pauses and resumes them, and waits until nothing runs."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import command_caller
from apps.queues import selectors, services
from apps.visualizations.exceptions import VisualizationsError

_LOOK_EVERY_S = 1.0


class Command(BaseCommand):
    """Queues from the command line."""

    help = "List, pause or resume queues, or drain them (pause, and report how many renders still run)."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="show what runs and waits in each queue, and which queues are paused")
        for name, words in (
            ("pause", "workers start nothing new"),
            ("drain", "pause, and report how many renders still run"),
        ):
            one = actions.add_parser(name, help=words)
            one.add_argument("environment", nargs="?", default="", help="such as base (default: all queues)")
            one.add_argument("--reason", required=True, help="the reason that the pages show")
            if name == "drain":
                one.add_argument("--wait", action="store_true", help="wait until nothing runs")
                one.add_argument("--timeout", type=float, default=3600, metavar="SECONDS", help="of --wait")
        one = actions.add_parser("resume", help="let workers take renders again")
        one.add_argument("environment", nargs="?", default="", help="the one that was paused")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except VisualizationsError as error:
            raise CommandError(str(error)) from error

    def _list(self, _options: dict[str, Any]) -> None:
        for each in selectors.queue_view(command_caller()):
            state = f"paused: {each.pause.reason}" if each.pause else "on"
            self.stdout.write(f"{each.environment:10}  {each.running} running  {each.waiting} waiting  {state}")

    def _pause(self, options: dict[str, Any]) -> None:
        services.queue_pause(command_caller(), options["environment"], options["reason"])
        self.stdout.write(f"Paused. {selectors.running_count(options['environment'])} still running.")

    def _drain(self, options: dict[str, Any]) -> None:
        self._pause(options)
        until = time.monotonic() + options["timeout"]
        while options["wait"] and (still := selectors.running_count(options["environment"])):
            if time.monotonic() > until:
                raise CommandError(f"{still} still running.")
            time.sleep(_LOOK_EVERY_S)
        if options["wait"]:
            self.stdout.write("Nothing runs any more.")

    def _resume(self, options: dict[str, Any]) -> None:
        was_paused = services.queue_resume(command_caller(), options["environment"])
        self.stdout.write("Resumed." if was_paused else "It was not paused.")
