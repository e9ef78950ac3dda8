"""`manage.py move`: copies the database and the results of this installation to new storage, and compares both."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from apps.visualizations.models import Render
from apps.visualizations.states import RenderState
from vizportal.migrate_storage import files, tables

_TARGET = "move_target"


class Command(BaseCommand):
    """Copies and compares; changes only the target. After an interruption, another call continues the copy."""

    help = (
        "Copies the database to VIZPORTAL_MOVE_DATABASE_URL and the results to VIZPORTAL_MOVE_RESULTS_URL, either or "
        "both, then reads everything on both sides and compares. Can be interrupted and called again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--live", action="store_true", help="a first pass while the portal runs; run it again afterwards"
        )
        parser.add_argument("--verify-only", action="store_true", help="copy nothing, only compare")
        parser.add_argument("--replace", action="store_true", help="delete what only the target has")

    def handle(self, *_args: Any, live: bool, verify_only: bool, replace: bool, **_options: Any) -> None:
        has_database, has_results = _TARGET in settings.DATABASES, _TARGET in settings.STORAGES
        if not has_database and not has_results:
            raise CommandError("Set VIZPORTAL_MOVE_DATABASE_URL, VIZPORTAL_MOVE_RESULTS_URL or both.")
        if not live and not verify_only:
            self._refuse_running()
        try:
            if has_database and not verify_only:
                self._copy_database(replace=replace)
            if has_results:
                self._results(verify_only=verify_only)
            if has_database and not live:
                self._compare_database()
        except tables.NotEmptyError as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, OSError) as error:
            raise CommandError(f"{type(error).__name__}: {error}\nWhat was copied stays; call this again.") from error
        is_first_pass = live and has_database
        said = "Copied. Stop the portal and call this again." if is_first_pass else "Both agree."
        self.stdout.write(self.style.SUCCESS(said))

    def _refuse_running(self) -> None:
        running = Render.objects.filter(state=RenderState.RUNNING).count()
        if running:
            raise CommandError(
                f"{running} renders run: stop web and workers first, or make a first pass with --live meanwhile."
            )

    def _copy_database(self, *, replace: bool) -> None:
        call_command("migrate", database=_TARGET, interactive=False, verbosity=0)
        if not replace:
            tables.target_check("default", _TARGET)
        tables.fill_by_migrate("default", _TARGET)
        deleted = tables.extra_delete("default", _TARGET)
        models = tables.tables()
        total = sum(tables.table_count(model, "default") for model in models)
        with tqdm(total=total, desc="rows", unit="row", disable=None) as bar:
            copied = sum(tables.table_copy(model, "default", _TARGET, bar.update) for model in models)
        for model in models:
            tables.references_copy(model, "default", _TARGET)
        tables.sequences_reset(_TARGET)
        self.stdout.write(f"rows: {copied} copied, {total - copied} there already, {deleted} deleted in the target")

    def _results(self, *, verify_only: bool) -> None:
        source, target = storages["default"], storages[_TARGET]
        wanted = list(files.names("default", source))
        if not verify_only:
            self._copy_files(wanted, source, target)
        with tqdm(total=len(wanted), desc="compared", unit="file", disable=None) as bar:
            differing = files.files_differing(wanted, source, target, bar.update)
        self.stdout.write(f"files: {len(wanted)} compared, {len(differing)} differ")
        if differing:
            raise CommandError(f"Not the same on both sides: {', '.join(differing[:10])}. Call this again.")

    def _copy_files(self, wanted: list[str], source: Storage, target: Storage) -> None:
        with tqdm(total=len(wanted), desc="files", unit="file", disable=None) as bar:
            moved = files.files_copy(wanted, source, target, bar.update)
        self.stdout.write(
            f"files: {moved.copied} copied ({moved.copied_bytes:,} bytes), {moved.there} there already, "
            f"{len(moved.missing)} missing here"
        )
        for name in moved.missing[:10]:
            self.stderr.write(f"  a row names it, and it is not here: {name}")

    def _compare_database(self) -> None:
        wrong = []
        for model in tqdm(tables.tables(), desc="compared", unit="table", disable=None):
            here, there = (tables.table_state(model, using) for using in ("default", _TARGET))
            if here != there:
                wrong.append(f"{model._meta.db_table} ({here.rows} rows here, {there.rows} there)")
        self.stdout.write(f"tables: {len(tables.tables())} compared, {len(wrong)} differ")
        if wrong:
            raise CommandError(f"Not the same on both sides: {', '.join(wrong)}. Is the portal still running?")
