"""manage.py reconcile: repairs what crashes leave behind, once or continuously."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from apps.visualizations.services.reconciliation import ClockWatch, Reconciliation, reconcile

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Makes one pass, or with --loop one every --every seconds until SIGTERM or Ctrl-C."""

    help = "Queue lost renders again, end those past their deadline, and clean up. Once, or with --loop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="repeat until stopped")
        parser.add_argument("--every", type=float, default=4.0, help="seconds between passes, with --loop")
        parser.add_argument("--mark", type=Path, help="a file touched after each pass of --loop")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            self._tell(reconcile())
            return
        stop, clock = threading.Event(), ClockWatch()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self._pass(clock)
            if options["mark"]:
                options["mark"].touch()
            stop.wait(options["every"])

    def _pass(self, clock: ClockWatch) -> None:
        """Makes one pass of a loop; a database that is briefly away does not end the loop."""
        close_old_connections()
        try:
            done = reconcile(clock)
        except DatabaseError:
            clock.miss()
            logger.warning("reconcile: the database does not answer", exc_info=True)
            return
        if str(done) != str(Reconciliation()):
            self._tell(done)

    def _tell(self, done: Reconciliation) -> None:
        self.stdout.write("another reconciler is running" if done.is_idle else str(done))
        self.stdout.flush()  # a redirected line would otherwise stay in the buffer
