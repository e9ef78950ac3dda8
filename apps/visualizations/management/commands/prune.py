"""manage.py prune: takes old renders and orphaned files away, and what ran out of sign-ins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from apps.accounts import audit, lockout, sessions
from apps.accounts.caller import command_caller
from apps.visualizations.services.pruning import prune


class Command(BaseCommand):
    """Orphaned files and sign-ins that ran out always; old renders with --older-than, but never a latest one."""

    help = (
        "Delete files no render points at, sessions and failed sign-ins that ran out and, with --older-than, old "
        "renders that are not the latest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=int, metavar="DAYS", help="also delete renders that ended before that")
        parser.add_argument("--audit-older-than", type=int, metavar="DAYS", help="also delete older audit entries")
        parser.add_argument("--grace", type=int, default=60, metavar="MINUTES", help="leave younger files alone")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        caller = command_caller()
        now = timezone.now()
        days = options["older_than"]
        done = prune(
            renders_before=None if days is None else now - timedelta(days=days),
            files_before=now - timedelta(minutes=options["grace"]),
            is_dry_run=options["dry_run"],
        )
        verb = "would be" if options["dry_run"] else "were"
        if options["verbosity"] > 1 or options["dry_run"]:
            for line in [*(f"render {render.id}" for render in done.renders), *done.files]:
                self.stdout.write(line)
        if options["audit_older_than"] is not None:
            before = now - timedelta(days=options["audit_older_than"])
            count = audit.entries_prune(caller, before, is_dry_run=options["dry_run"])
            self.stdout.write(f"{count} audit entries {verb} deleted.")
        ended = sessions.sessions_prune(caller, now, is_dry_run=options["dry_run"])
        failed = lockout.attempts_prune(caller, now, is_dry_run=options["dry_run"])
        self.stdout.write(f"{ended} ended sessions and {failed} failed sign-ins {verb} deleted.")
        freed = filesizeformat(sum(render.html_bytes or 0 for render in done.renders))
        self.stdout.write(f"{len(done.renders)} renders ({freed}) and {len(done.files)} orphaned files {verb} deleted.")
