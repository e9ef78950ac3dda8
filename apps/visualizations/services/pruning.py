"""Takes away what nobody needs: old renders that are not the latest, and files without a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.files.storage import default_storage
from django.db.models import F, QuerySet

from apps.stores.files import INCOMING
from apps.visualizations.models import Render, Visualization
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


def renders_old(before: datetime) -> QuerySet[Render]:
    """Returns renders that ended before then, are not their visualization's latest, and are kept by nothing."""
    ended = Render.objects.exclude(state__in=ACTIVE_STATES).filter(finished_at__lt=before)
    ended = ended.exclude(visualization__latest=F("id")).exclude(visualization__is_pinned=True)
    for render_ids in _kept.values():
        ended = ended.exclude(id__in=render_ids())
    return ended.select_related("visualization")


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


def prune(*, renders_before: datetime | None, files_before: datetime, is_dry_run: bool) -> Pruning:
    """Takes old renders and orphaned files away; a pinned visualization keeps all of its renders.

    Args:
        renders_before: None keeps every render.
        files_before: younger files stay: their row may not be written yet.
        is_dry_run: only tells what would go.
    """
    renders: Any = renders_old(renders_before) if renders_before else Render.objects.none()
    found = Pruning(renders=list(renders), files=list(files_orphaned(files_before)))
    if is_dry_run:
        return found
    for render in found.renders:
        Render.objects.filter(id=render.id).delete()
        render_files_delete(render)
    files_delete(found.files)
    return found
