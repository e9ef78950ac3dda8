"""manage.py prune: deletes old renders, orphaned files, expired sessions and old failed sign-ins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from apps.accounts import audit, lockout, sessions
from apps.accounts.caller import command_caller
from apps.visualizations.models import Render
from apps.visualizations.services.pruning import Retention, bytes_kept, prune


class Command(BaseCommand):
    """Always prunes orphaned files and expired sign-ins; renders by number and age, but never a latest one."""

    help = (
        "Delete files that no render refers to, expired sessions and failed sign-ins and, with --keep-last or "
        "--older-than, renders that nothing needs. With both, a render must meet both conditions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep-last", type=int, metavar="N", help="keep this many renders of each visualization")
        parser.add_argument(
            "--older-than", type=int, metavar="DAYS", help="delete only renders that ended before this time"
        )
        parser.add_argument("--audit-older-than", type=int, metavar="DAYS", help="also delete older audit entries")
        parser.add_argument("--grace", type=int, default=60, metavar="MINUTES", help="keep younger files")
        parser.add_argument("--dry-run", action="store_true", help="only list what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        caller = command_caller()
        now = timezone.now()
        done = prune(
            retention=_retention(options, now),
            files_before=now - timedelta(minutes=options["grace"]),
            is_dry_run=options["dry_run"],
        )
        verb = "would be" if options["dry_run"] else "were"
        if options["verbosity"] > 1 or options["dry_run"]:
            for line in [*map(_line, done.renders), *done.files]:
                self.stdout.write(line)
        if options["audit_older_than"] is not None:
            before = now - timedelta(days=options["audit_older_than"])
            count = audit.entries_prune(caller, before, is_dry_run=options["dry_run"])
            self.stdout.write(f"{count} audit entries {verb} deleted.")
        ended = sessions.sessions_prune(caller, now, is_dry_run=options["dry_run"])
        failed = lockout.attempts_prune(caller, now, is_dry_run=options["dry_run"])
        self.stdout.write(f"{ended} ended sessions and {failed} failed sign-ins {verb} deleted.")
        freed = filesizeformat(sum(map(bytes_kept, done.renders)))
        self.stdout.write(f"{len(done.renders)} renders ({freed}) and {len(done.files)} orphaned files {verb} deleted.")


def _retention(options: dict[str, Any], now: datetime) -> Retention:
    """Returns the retention from the options, or from the settings if both are missing; 0 there means no limit."""
    last, days = options["keep_last"], options["older_than"]
    if last is None and days is None:
        last, days = settings.VIZPORTAL_KEEP_LAST or None, settings.VIZPORTAL_KEEP_DAYS or None
    if (last is not None and last < 1) or (days is not None and days < 0):
        raise CommandError("--keep-last is 1 or more, --older-than 0 or more.")
    return Retention(keep_last=last, before=None if days is None else now - timedelta(days=days))


def _line(render: Render) -> str:
    title = f"{render.visualization.title}, no. {render.number}"
    return f"render {render.id}  {filesizeformat(bytes_kept(render))}  {title}"
