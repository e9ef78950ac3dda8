"""Takes away what nobody needs: old renders that are not the latest, and files without a row."""

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

# So long what was deleted can be restored.
UNDO: Final = timedelta(days=1)
_MOST_PURGED: Final = 100


_kept: dict[str, Callable[[], QuerySet[Any]]] = {}


def kept_register(name: str, render_ids: Callable[[], QuerySet[Any]]) -> None:
    """Keeps the renders that an app above this one needs, under a name; it returns their ids as a query of one column.

    Only age does not remove them: who deletes a visualization deletes all of its renders.
    """
    _kept[name] = render_ids


@dataclass(slots=True, kw_only=True)
class Pruning:
    """What is taken away, or would be: renders, and the names of orphaned files."""

    renders: list[Render] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long renders are kept. What meets both conditions goes; without any, all is kept.

    Attributes:
        keep_last: the newest so many of each visualization stay, whatever their age; None where only age counts.
        before: what ended later stays; None where only their number counts.
    """

    keep_last: int | None = None
    before: datetime | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether no render goes."""
        return self.keep_last is None and self.before is None


def renders_old(retention: Retention) -> QuerySet[Render]:
    """Returns the renders that a retention no longer keeps.

    Whatever it says these stay: a visualization's latest render and its latest good one, all renders of what is pinned
    or is the baseline of a series, and what the apps above registered: `kept_register`.
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
    """Returns the ids of the renders that saved comparisons need to be rendered again."""
    latest = Render.objects.filter(source_uri__startswith=results_uri([]), visualization__latest=F("id"))
    sources = latest.filter(visualization__deleted_at=None).order_by().values_list("source_uri", flat=True)
    return frozenset(render_id for uri in sources for render_id in results_ids(uri))


def visualizations_purge(before: datetime) -> int:
    """Takes away, with renders and files, what was deleted before then; returns how many, a hundred at most."""
    found = list(Visualization.objects.filter(deleted_at__lt=before).order_by("deleted_at")[:_MOST_PURGED])
    for visualization in found:
        renders = list(visualization.renders.all())
        visualization.delete()
        for render in renders:
            render_files_delete(render)
    return len(found)


def files_orphaned(before: datetime) -> Iterator[str]:
    """Yields files of results, written before then, that no render points at."""
    for folder in _folders(ROOT):
        for render_folder in _folders(folder):
            names = {f"{render_folder}/{name}" for name in files_list(render_folder)[1]}
            for name in sorted(names - _known(names)):
                # A result is in the store a moment before its row says so.
                if default_storage.get_modified_time(name) < before:
                    yield name
    for name in (f"{INCOMING}/{each}" for each in files_list(INCOMING)[1]):
        # What a crash cut short. A save that ends just now takes its own away.
        with suppress(FileNotFoundError):
            if default_storage.get_modified_time(name) < before:
                yield name


def _folders(path: str) -> list[str]:
    return [f"{path}/{name}" for name in sorted(files_list(path)[0])]


def _known(names: set[str]) -> set[str]:
    html = Render.objects.filter(html__in=names).values_list("html", flat=True)
    return {*html, *Render.objects.filter(notebook__in=names).values_list("notebook", flat=True)}


def prune(*, retention: Retention, files_before: datetime, is_dry_run: bool) -> Pruning:
    """Takes away renders that a retention no longer keeps, and orphaned files.

    Args:
        files_before: younger files stay: their row may not be written yet.
        is_dry_run: only tells what would go.
    """
    compared = renders_compared()
    renders = [each for each in renders_old(retention) if each.id not in compared]
    found = Pruning(renders=renders, files=list(files_orphaned(files_before)))
    if is_dry_run:
        return found
    for render in found.renders:
        # Somebody may have pinned or shared it meanwhile.
        if renders_old(retention).filter(id=render.id).delete()[0]:
            render_files_delete(render)
    files_delete(found.files)
    return found


def bytes_kept(render: Render) -> int:
    """Returns how much of the store a render takes."""
    return (render.html_bytes or 0) + (render.notebook_bytes or 0)
