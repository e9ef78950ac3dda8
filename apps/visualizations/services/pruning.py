"""Removes old renders that retention does not keep, deleted visualizations, and files without a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from apps.stores.files import INCOMING
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.services.compared import results_ids, results_uri
from apps.visualizations.services.results import ROOT, files_delete, files_list, render_files_delete
from apps.visualizations.states import ACTIVE_STATES

# How long a deleted visualization can be restored.
UNDO: Final = timedelta(days=1)
_MOST_PURGED: Final = 100


_kept: dict[str, Callable[[], QuerySet[Any]]] = {}


def kept_register(name: str, render_ids: Callable[[], QuerySet[Any]]) -> None:
    """Registers renders that a higher app needs: `render_ids` returns their ids as a one-column query.

    This only protects them from age: deleting a visualization deletes all of its renders.
    """
    _kept[name] = render_ids


@dataclass(slots=True, kw_only=True)
class Pruning:
    """Removed renders and orphaned files; in a dry run, those that would be removed."""

    renders: list[Render] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long renders are kept. A render that meets both conditions is removed; with neither, all are kept.

    Attributes:
        keep_last: how many of each visualization's newest renders stay, whatever their age; None if only age counts.
        before: renders that ended later stay; None if only their number counts.
    """

    keep_last: int | None = None
    before: datetime | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether no render is removed."""
        return self.keep_last is None and self.before is None


def renders_old(retention: Retention) -> QuerySet[Render]:
    """Returns the renders that a retention no longer keeps.

    These always stay: a visualization's latest render and its latest with a page, all renders of a pinned visualization
    or of a series' baseline, and those that higher apps registered with `kept_register`.
    """
    if retention.keeps_all:
        return Render.objects.none()
    ended = Render.objects.exclude(state__in=ACTIVE_STATES).order_by("visualization", "number")
    ended = ended.exclude(visualization__latest=F("id")).exclude(visualization__is_pinned=True)
    same = Render.objects.filter(visualization=OuterRef("visualization"), number__gt=OuterRef("number")).order_by()
    ended = ended.exclude(~Q(html=""), ~Exists(same.exclude(html="")))
    ended = ended.exclude(Exists(Recipe.objects.filter(baseline=OuterRef("visualization"))))
    if retention.before is not None:
        ended = ended.filter(finished_at__lt=retention.before)
    if retention.keep_last is not None:
        newer = same.values("visualization").annotate(count=Count("id")).values("count")
        ended = ended.annotate(newer=Subquery(newer)).filter(newer__gte=retention.keep_last)
    for render_ids in _kept.values():
        ended = ended.exclude(id__in=render_ids())
    return ended.select_related("visualization").defer("code", "log", "traceback")


def renders_compared() -> frozenset[UUID]:
    """Returns the ids of the renders that saved comparisons would read if rendered again."""
    latest = Render.objects.filter(source_uri__startswith=results_uri([]), visualization__latest=F("id"))
    sources = latest.filter(visualization__deleted_at=None).order_by().values_list("source_uri", flat=True)
    return frozenset(render_id for uri in sources for render_id in results_ids(uri))


def visualizations_purge(before: datetime) -> int:
    """Purges visualizations deleted before a time, with renders and files; returns how many, at most a hundred."""
    found = list(Visualization.objects.filter(deleted_at__lt=before).order_by("deleted_at")[:_MOST_PURGED])
    for visualization in found:
        renders = list(visualization.renders.all())
        visualization.delete()
        for render in renders:
            render_files_delete(render)
    return len(found)


def files_orphaned(before: datetime) -> Iterator[str]:
    """Yields result files, written before a time, that no render refers to."""
    for folder in _folders(ROOT):
        for render_folder in _folders(folder):
            names = {f"{render_folder}/{name}" for name in files_list(render_folder)[1]}
            for name in sorted(names - _known(names)):
                # A result is stored shortly before its row refers to it.
                if default_storage.get_modified_time(name) < before:
                    yield name
    for name in (f"{INCOMING}/{each}" for each in files_list(INCOMING)[1]):
        # Left by a crash. A save in progress removes its own file, perhaps just now.
        with suppress(FileNotFoundError):
            if default_storage.get_modified_time(name) < before:
                yield name


def _folders(path: str) -> list[str]:
    return [f"{path}/{name}" for name in sorted(files_list(path)[0])]


def _known(names: set[str]) -> set[str]:
    html = Render.objects.filter(html__in=names).values_list("html", flat=True)
    return {*html, *Render.objects.filter(notebook__in=names).values_list("notebook", flat=True)}


def prune(*, retention: Retention, files_before: datetime, is_dry_run: bool) -> Pruning:
    """Removes the renders that a retention no longer keeps, and orphaned files.

    Args:
        files_before: younger files stay, because their row may not be written yet.
        is_dry_run: only return what would be removed.
    """
    compared = renders_compared()
    renders = [each for each in renders_old(retention) if each.id not in compared]
    found = Pruning(renders=renders, files=list(files_orphaned(files_before)))
    if is_dry_run:
        return found
    for render in found.renders:
        # It may have been pinned or shared meanwhile.
        if renders_old(retention).filter(id=render.id).delete()[0]:
            render_files_delete(render)
    files_delete(found.files)
    return found


def bytes_kept(render: Render) -> int:
    """Returns how many bytes of the store a render takes."""
    return (render.html_bytes or 0) + (render.notebook_bytes or 0)
