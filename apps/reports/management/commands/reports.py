"""manage.py reports: lists reports, exports one as a file that opens offline, creates one from visualizations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import absent_caller, command_caller
from apps.reports import drafting, offline, selectors, services
from apps.reports.blocks import drafts_blank, drafts_model_card
from apps.reports.contexts import report_context
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.selectors import visualization_get


class Command(BaseCommand):
    """Reports from the command line."""

    help = "List reports, export one to a file, or create one from visualizations."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every report")
        export = actions.add_parser("export", help="write a report into one HTML file that opens offline")
        export.add_argument("report", help="its id")
        export.add_argument("file", type=Path)
        create = actions.add_parser("create", help="make a report of visualizations as they are now")
        create.add_argument("visualizations", nargs="+", metavar="visualization", help="its id")
        create.add_argument("--title", required=True)
        create.add_argument("--user", required=True, help="who owns it, and whose permissions apply")
        create.add_argument("--model-card", action="store_true", help="with the sections of a model card")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(options)
        except (VisualizationsError, OSError) as error:
            raise CommandError(str(error)) from error

    def _list(self, _options: dict[str, Any]) -> None:
        for each in selectors.reports_visible(command_caller()):
            owner = each.owner.get_username() if each.owner else "-"
            self.stdout.write(f"{each.id}  {owner}  version {each.number}  {each.title}")

    def _export(self, options: dict[str, Any]) -> None:
        caller = command_caller()
        context = report_context(caller, selectors.report_get(caller, options["report"]))
        with options["file"].open("wb") as file:
            file.writelines(offline.report_file(caller, context["version"], context["blocks"]))
            size = file.tell()
        self.stdout.write(f"Wrote {options['file']}, {size:,} bytes.")

    def _create(self, options: dict[str, Any]) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['user']!r}.")
        caller = absent_caller(user)
        drafts = drafting.drafts_from([visualization_get(caller, each) for each in options["visualizations"]])
        made = (drafts_model_card if options["model_card"] else drafts_blank)(drafts)
        endpoint_key, namespace = drafting.place_for(caller, made)
        report = services.report_create(caller, options["title"], made, endpoint_key=endpoint_key, namespace=namespace)
        self.stdout.write(f"Made report {report.id}: {report.get_absolute_url()}")
