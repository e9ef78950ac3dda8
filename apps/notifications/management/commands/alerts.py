"""manage.py alerts: lists alerts, sends tests, pauses and resumes, and runs the reconciler's part once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import command_caller
from apps.notifications import checking, selectors, services
from apps.notifications.definitions import condition_text, definition_of
from apps.notifications.models import Alert
from apps.visualizations.exceptions import VisualizationsError


class Command(BaseCommand):
    """Alerts from the command line."""

    help = "List, test, pause or resume alerts; run does one pass of the reconciler."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="show every alert with its condition and targets")
        actions.add_parser("run", help="check renders that have ended and queue messages that are due, once")
        for name in ("test", "pause", "resume"):
            actions.add_parser(name).add_argument("alert", help="its id")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action == "list":
            self._list()
        elif action == "run":
            self.stdout.write(f"{checking.alerts_pass()} messages written or queued.")
        else:
            try:
                self._one(action, _alert(options["alert"]))
            except VisualizationsError as error:
                raise CommandError(str(error)) from error

    def _list(self) -> None:
        for alert in selectors.alerts_visible(command_caller()):
            state = "on" if alert.is_enabled else "paused"
            targets = ", ".join(map(str, alert.targets.all()))
            condition = condition_text(definition_of(alert))
            self.stdout.write(f"{alert.id}  {state:6}  {alert.owner.get_username()}  {condition}  {targets}")
            if alert.problem:
                self.stdout.write(f"  {alert.problem}")

    def _one(self, action: str, alert: Alert) -> None:
        caller = command_caller()
        if action == "test":
            self.stdout.write(f"A test is on its way to {services.alert_test(caller, alert)} targets.")
        else:
            services.alert_change(caller, alert, is_enabled=action == "resume")


def _alert(alert_id: str) -> Alert:
    try:
        return selectors.alert_get(command_caller(), alert_id)
    except (VisualizationsError, ValidationError) as error:
        raise CommandError("There is no such alert.") from error
