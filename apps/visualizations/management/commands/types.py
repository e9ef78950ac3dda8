"""manage.py types: lists the visualization types, checks their files, or writes their documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from vizkit.types import docs, registry

from apps.visualizations import selectors


class Command(BaseCommand):
    """Lists types and what they fit; with --validate, exits with 1 if a file is wrong."""

    help = "List the visualization types, check their files with --validate, or write their pages with --docs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--validate", action="store_true", help="check every type's file and say what is wrong")
        parser.add_argument(
            "--docs", type=Path, metavar="DIR", help="write a page of Markdown for each type, and an index"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        problems = registry.problems(settings.VIZPORTAL_TYPES_DIRS)
        if options["validate"]:
            self._validate(problems)
            return
        if options["docs"]:
            written = docs.write(selectors.type_list(), options["docs"])
            self.stdout.write(f"{len(written)} pages are in {options['docs']}.")
            return
        for kind in selectors.type_list():
            fits = ", ".join([*kind.patterns, *kind.artifact_types]) or "anything"
            where = f"  ({kind.path})" if registry.is_extra(kind) else ""
            self.stdout.write(f"{kind.key:20} {kind.title:24} {kind.environment:8} {kind.version}  {fits}{where}")
        for problem in problems:
            self.stderr.write(self.style.WARNING(problem))

    def _validate(self, problems: list[str]) -> None:
        for problem in problems:
            self.stderr.write(self.style.ERROR(problem))
        if problems:
            raise CommandError(f"{len(problems)} problem(s) found.")
        self.stdout.write(f"{len(selectors.type_list())} types are valid.")
