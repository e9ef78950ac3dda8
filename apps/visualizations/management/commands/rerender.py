"""manage.py rerender: renders many visualizations again."""

from __future__ import annotations

import sys
import threading
from argparse import ArgumentTypeError
from collections import Counter
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from tqdm import tqdm

from apps.accounts.caller import command_caller
from apps.runs.entities import Artifact
from apps.runs.gateway import Gateway
from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError, VisualizationsError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.again import render_again_for_owner
from apps.visualizations.services.bulk import visualizations_chosen
from apps.visualizations.services.credentials import render_gateway
from apps.visualizations.services.staleness import is_outdated, visualization_findings
from apps.visualizations.states import ACTIVE_STATES, RenderState


class Command(BaseCommand):
    """Queues a render for each visualization that the filters select.

    An interrupted command can simply be started again: with --stale, visualizations rendered meanwhile are no longer
    stale; with --before and the time that the command prints at its start, they are left out. Queued and running ones
    are always skipped, and --wait waits for them too.
    """

    help = "Render visualizations again: by type, pipeline, run, state, or only those that are --stale."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--type", default="", help="only this type")
        parser.add_argument("--pipeline", default="", help="only this pipeline, by name")
        parser.add_argument("--run", default="", help="only this run, by id")
        parser.add_argument(
            "--state", choices=RenderState.values, help="only where the latest render ended in this state"
        )
        parser.add_argument(
            "--stale", action="store_true", help="only where data, artifact, type or environment changed since"
        )
        parser.add_argument(
            "--before",
            type=_moment,
            metavar="TIME",
            help="only where no render ended that was asked for since, such as 2026-11-30T08:00:00+00:00",
        )
        parser.add_argument("--dry-run", action="store_true", help="only list what would be rendered")
        parser.add_argument("--yes", action="store_true", help="do not ask before everything is rendered again")
        parser.add_argument(
            "--wait", action="store_true", help="wait until all have ended; exit status 1 if one failed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._artifacts: dict[Any, Artifact | None] = {}
        chosen = self._chosen(options)
        if options["dry_run"]:
            self._list(chosen)
            return
        if not (self._is_filtered(options) or options["yes"] or self._is_confirmed(len(chosen))):
            raise CommandError("Nothing was queued. Choose by a filter, or confirm with --yes.")
        moment = options["before"] or timezone.now()
        self.stderr.write(
            f"If this is stopped, start it again with --before {moment.isoformat()}: nothing is done twice."
        )
        waiting = renders_active(chosen)
        queued = self._queue([each for each in chosen if each.id not in waiting], moment)
        self.stdout.write(f"{len(queued)} queued, {len(chosen) - len(queued)} passed over.")
        if options["wait"]:
            self._wait([*waiting.values(), *queued])

    def _list(self, chosen: list[Visualization]) -> None:
        for name, rows in groupby(chosen, lambda each: each.run_name or each.run_id or "(no run)"):
            self.stdout.write(f"{name}:")
            for each in rows:
                self.stdout.write(f"  {each.id}  {each.type_key:18} {each.title}")
        runs = len({(each.endpoint_key, each.run_id) for each in chosen})
        counts = Counter(each.type_key for each in chosen)
        self.stdout.write(f"{len(chosen)} would be rendered again. They are of {runs} runs.")
        for key, count in counts.most_common():
            self.stdout.write(f"  {count:6} {key}")

    def _is_filtered(self, options: dict[str, Any]) -> bool:
        return any(options[name] for name in ("type", "pipeline", "run", "state", "stale", "before"))

    def _is_confirmed(self, count: int) -> bool:
        """Asks for confirmation if there is a terminal: rendering everything in a large portal takes hours."""
        if not count or not sys.stdin.isatty():
            return not count
        return input(f"Render all {count} saved visualizations again? [y/N] ").strip().lower() in {"y", "yes"}

    def _chosen(self, options: dict[str, Any]) -> list[Visualization]:
        try:
            type_key = selectors.type_get(options["type"]).key if options["type"] else ""
        except InvalidRequestError as error:
            raise CommandError(str(error)) from error
        found = visualizations_chosen(
            command_caller(),
            type_key=type_key,
            pipeline_name=options["pipeline"],
            run_id=options["run"],
            state=options["state"] or "",
            before=options["before"],
        )
        chosen = self._stale(found) if options["stale"] else list(found)
        return sorted(chosen, key=lambda each: (each.run_name, each.run_id))

    def _stale(self, found: QuerySet[Visualization]) -> list[Visualization]:
        """Returns those that rendering again would change, and prints which could not be checked."""
        caller, chosen, unsure = command_caller(), [], Counter[str]()
        for each in tqdm(found, desc="looking", unit="", file=self.stderr, disable=not self.stderr.isatty()):
            findings = visualization_findings(caller, each, gateway=partial(_gateway, each))
            unsure.update(finding.message for finding in findings if finding.code == "unknown")
            if is_outdated(findings):
                chosen.append(each)
                self._artifacts[each.id] = next((one.artifact for one in findings if one.artifact), None)
        for message, count in unsure.most_common(5):
            self.stderr.write(f"{count} could not be checked: {message}")
        return chosen

    def _queue(self, chosen: list[Visualization], moment: datetime) -> list[Any]:
        caller, queued = command_caller(), []
        for each in tqdm(chosen, desc="queueing", unit="", file=self.stderr, disable=not chosen):
            artifact = self._artifacts.get(each.id)
            try:
                # This checks once more: a render that was queued at selection may have ended since.
                render = render_again_for_owner(caller, each, artifact=artifact, unless_since=moment)
            except VisualizationsError as error:
                self.stderr.write(f"{each.id} {each.title}: {error}")
            else:
                queued.append(render.id)
        return queued

    def _wait(self, queued: list[Any]) -> None:
        """Polls the rows: renders end even if the queue server goes away and comes back."""
        with tqdm(total=len(queued), desc="rendering", unit="", file=self.stderr) as bar:
            while active := self._renders(queued).filter(state__in=ACTIVE_STATES).count():
                bar.update(len(queued) - active - bar.n)
                threading.Event().wait(0.5)
            bar.update(len(queued) - bar.n)
        bad = self._renders(queued).exclude(state=RenderState.SUCCEEDED)
        for render in bad.select_related("visualization"):
            self.stderr.write(
                f"{render.visualization_id} {render.visualization.title}: {render.state} {render.message}"
            )
        if bad.exists():
            raise CommandError(f"{bad.count()} of {len(queued)} did not succeed.")

    def _renders(self, ids: list[Any]) -> QuerySet[Render]:
        return Render.objects.filter(id__in=ids)


def renders_active(chosen: list[Visualization]) -> dict[Any, Any]:
    """Returns the queued and running renders of these visualizations, by visualization id."""
    wanted = {each.id for each in chosen}
    rows = Render.objects.filter(state__in=ACTIVE_STATES).values_list("visualization_id", "id")
    return {visualization: render for visualization, render in rows if visualization in wanted}


def _moment(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError("give a time with its zone, such as 2026-11-30T08:00:00+00:00")
    return found


def _gateway(visualization: Visualization) -> Gateway:
    """Returns the gateway that fetches the latest render's source, with the portal's own credential."""
    latest = visualization.latest
    if latest is None:
        raise CommandError("A visualization without a render is not stale.")
    latest.visualization = visualization
    return render_gateway(latest)
