"""manage.py compare: prints the key figures of several results, and saves their comparison as a visualization."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.caller import command_caller
from apps.gallery import selectors
from apps.gallery.changes import changes, figures_of
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.models import Render
from apps.visualizations.services.compared import MOST_RESULTS
from apps.visualizations.services.comparisons import comparison_create


class Command(BaseCommand):
    """Compares results with the first of them."""

    help = "Compare results: compare VISUALIZATION-OR-RENDER ... prints their key figures; --save draws and saves it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="+", type=UUID, help="visualizations (their latest renders) or renders")
        parser.add_argument("--save", action="store_true", help="queue the comparison; its address is printed")
        parser.add_argument("--title", default="", help="of the saved comparison")
        parser.add_argument("--key", nargs="*", default=[], help="columns that identify the rows of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        caller, asked = command_caller(), [str(each) for each in options["ids"]]
        renders = [
            render for each in asked for render in selectors.renders_compared(caller, [each], [each], MOST_RESULTS)
        ]
        if len(renders) < 2:
            raise CommandError("Name at least two results; a visualization without a render has none.")
        self._figures(renders)
        if not options["save"]:
            return
        try:
            made = comparison_create(
                caller, [each.id for each in renders], title=options["title"], arguments={"key": options["key"]}
            )
        except VisualizationsError as error:
            raise CommandError(str(error)) from error
        words = "Queued" if made.is_new else "Saved already"
        self.stdout.write(f"{words}: {made.visualization.get_absolute_url()}")

    def _figures(self, renders: list[Render]) -> None:
        first = figures_of(renders[0])
        for number, each in enumerate(renders, 1):
            self.stdout.write(f"{number}. {each.visualization.title} (render {each.number}, {each.state})")
            own = figures_of(each)
            for change in changes(own, first if number > 1 else {}, own):
                delta = f"  {change.text} {change.effect_word}".rstrip() if change.text else ""
                self.stdout.write(f"   {change.name}: {change.value:.10g}{change.unit and f' {change.unit}'}{delta}")
