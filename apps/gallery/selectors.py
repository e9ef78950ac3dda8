"""Read access for the gallery: filtered visualizations, counts by kind, favourites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from apps.accounts.caller import Caller
from apps.gallery import filters as names
from apps.gallery.filters import GalleryFilters
from apps.gallery.models import Favourite
from apps.visualizations import selectors
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.services.compared import MOST_RESULTS, is_results, results_ids
from apps.visualizations.states import RenderState

# Only this many matches are loaded; for others, people narrow the filters or follow "Older".
MOST_FOUND: Final = 1000
_MOST_PINNED: Final = 100
_MOST_CHOICES: Final = 12
_FACETS: Final = ("type", "outcome", "pipeline", "owner", "tag")
_COLUMNS: Final = ("id", "type_key", "outcome", "pipeline_name", "owner__username", "tags")
_LONG: Final = ("text", "notes", "latest__code", "latest__log", "latest__traceback", "latest__arguments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The visualizations that match the filters.

    Attributes:
        ids: in order, at most MOST_FOUND; with the newest first, pinned ones precede them.
        is_all: False if there are more matches.
        facets: by "type", "outcome", "pipeline", "owner" and "tag": (value, count among these ids), most frequent
            first, at most twelve.
    """

    ids: tuple[UUID, ...]
    is_all: bool
    facets: dict[str, list[tuple[str, int]]]


def visualizations_find(caller: Caller, filters: GalleryFilters) -> Found:
    """Returns the matching visualizations, with counts by kind."""
    rows = _sorted(_filtered(caller, filters), filters)
    pinned: list[Any] = []
    if not filters.sort:
        pinned = list(rows.filter(is_pinned=True).values_list(*_COLUMNS)[:_MOST_PINNED])
        rows = rows.exclude(id__in=[row[0] for row in pinned]) if pinned else rows
    found = [*pinned, *rows.values_list(*_COLUMNS)[: MOST_FOUND + 1 - len(pinned)]]
    return Found(
        ids=tuple(row[0] for row in found[:MOST_FOUND]),
        is_all=len(found) <= MOST_FOUND,
        facets=_facets(found[:MOST_FOUND]),
    )


def visualizations_page(caller: Caller, ids: Sequence[UUID]) -> list[Visualization]:
    """Returns visualizations with owner, latest render and key figures, in the order of the ids, without long texts."""
    rows = selectors.visualizations_visible(caller).filter(id__in=ids).defer(*_LONG)
    by_id = rows.prefetch_related("latest__figures").in_bulk()
    return [by_id[each] for each in ids if each in by_id]


def visualizations_chosen(caller: Caller, ids: Iterable[str], most: int) -> list[Visualization]:
    """Returns the visualizations that the caller may see, in the order of the ids, `most` at most; skips bad ids."""
    valid = []
    for each in dict.fromkeys(ids):
        try:
            valid.append(UUID(each))
        except ValueError:
            continue
    by_id = selectors.visualizations_visible(caller).filter(id__in=valid[:most]).in_bulk()
    return [by_id[each] for each in valid[:most] if each in by_id]


def renders_compared(
    caller: Caller, visualization_ids: Iterable[str], render_ids: Iterable[str], most: int
) -> list[Render]:
    """Returns the latest renders of visualizations, then the named renders, without duplicates.

    Invalid ids, and ids of what the caller may not see, are ignored.
    """
    chosen = visualizations_chosen(caller, visualization_ids, most)
    asked = list(dict.fromkeys(render_ids))[:most]
    seen = {str(each): each for each in selectors.render_ids_visible(caller, asked)}
    named = [seen[each] for each in asked if each in seen]
    ids = list(dict.fromkeys([*(each.latest_id for each in chosen if each.latest_id), *named]))[:most]
    rows = selectors.renders_visible(caller).filter(id__in=ids).defer("code", "log", "traceback")
    by_id = rows.prefetch_related("figures").in_bulk()
    return [by_id[each] for each in ids if each in by_id]


def latest_renders(caller: Caller, visualization_ids: Sequence[UUID]) -> list[UUID]:
    """Returns the ids of the latest renders of the visualizations that the caller may see, in their order."""
    by_id = selectors.visualizations_visible(caller).filter(id__in=visualization_ids).in_bulk()
    return [latest for each in visualization_ids if each in by_id and (latest := by_id[each].latest_id)]


def renders_of_comparison(caller: Caller, comparison: Visualization) -> list[Render]:
    """Returns a comparison's renders in order, without those that are gone or that the caller may not see."""
    if not is_results(comparison.source_uri):
        return []
    return renders_compared(caller, [], map(str, results_ids(comparison.source_uri)), MOST_RESULTS)


def series_rows(caller: Caller, recipe: Recipe, most: int) -> list[Visualization]:
    """Returns the visualizations of a recipe, newest run first, without long texts.

    Each run has only one: the newest that succeeded, or else the newest.
    """
    rows = selectors.series_list(caller, recipe).defer(*_LONG)[: most * 2]
    by_run: dict[str, Visualization] = {}
    for each in rows:
        known = by_run.get(each.run_id)
        if known is None or _rank(each) > _rank(known):
            by_run[each.run_id] = each
    return list(by_run.values())[:most]


def render_before(caller: Caller, render: Render) -> Render | None:
    """Returns the previous successful render in a render's history, with its key figures; None if there is none."""
    earlier = selectors.renders_visible(caller).filter(visualization=render.visualization_id, number__lt=render.number)
    good = earlier.filter(state=RenderState.SUCCEEDED).defer("code", "log", "traceback")
    return good.prefetch_related("figures").order_by("-number").first()


def _rank(visualization: Visualization) -> tuple[bool, datetime]:
    return visualization.outcome == RenderState.SUCCEEDED, visualization.created_at


def favourites_among(caller: Caller, ids: Iterable[UUID]) -> set[UUID]:
    """Returns which of these visualizations are the caller's favourites."""
    if not caller.is_person:
        return set()
    chosen = Favourite.objects.filter(user=caller.user_id, visualization__in=list(ids))
    return set(chosen.values_list("visualization", flat=True))


def _filtered(caller: Caller, filters: GalleryFilters) -> QuerySet[Visualization]:
    rows = selectors.visualizations_visible(caller)
    exact = {
        "type_key": filters.type,
        "pipeline_name": filters.pipeline,
        "run_id": filters.run,
        "step_id": filters.step,
        "artifact_name": filters.artifact,
        "owner__username": filters.owner,
    }
    if filters.figure and filters.type:
        # A sort by figure reads rows in the order of the figure's index; using the type's index would require sorting
        # them.
        rows = rows.annotate(own_type=Coalesce("type_key", Value(""))).filter(own_type=exact.pop("type_key"))
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if filters.tag:
        rows = rows.exclude(tags="").filter(tags__contains=f"\n{filters.tag}\n")
    if filters.since:
        rows = rows.filter(created_at__gte=datetime.combine(filters.since, time(), UTC))
    if filters.until:
        rows = rows.filter(created_at__lt=datetime.combine(filters.until, time(), UTC) + timedelta(days=1))
    if filters.before:
        rows = rows.filter(created_at__lt=filters.before)
    if filters.favourites:
        rows = rows.filter(id__in=Favourite.objects.filter(user=caller.user_id).values("visualization"))
    if filters.pinned:
        rows = rows.filter(is_pinned=True)
    return selectors.text_filter(_of_state(rows, filters.state), filters.q)


def _of_state(rows: QuerySet[Visualization], state: str) -> QuerySet[Visualization]:
    if state == names.ALL:
        return rows
    # Repeats the index's condition exactly, so that the database can use the index.
    others = rows.exclude(outcome=RenderState.SUCCEEDED)
    if state == names.WORKING:
        return others.filter(outcome="")
    if state == names.FAILED:
        return others.filter(outcome__in=names.FAILURES)
    if state in names.FAILURES:
        return others.filter(outcome=state)
    kept = [RenderState.SUCCEEDED] if state == RenderState.SUCCEEDED else [RenderState.SUCCEEDED, ""]
    # An edited visualization is replaced by its successor once that has a result.
    replaced = Q(superseded_by__outcome=RenderState.SUCCEEDED, superseded_by__deleted_at=None)
    return rows.filter(outcome__in=kept).exclude(Q(superseded_by__isnull=False) & replaced)


def _sorted(rows: QuerySet[Visualization], filters: GalleryFilters) -> QuerySet[Visualization]:
    if filters.sort in {"title", "-title"}:
        return rows.order_by(filters.sort, "id")
    if filters.figure:
        value = F("latest__figures__value")
        rows = rows.filter(latest__figures__name=filters.figure, outcome=RenderState.SUCCEEDED)
        return rows.order_by(value.desc() if filters.sort.startswith("-") else value.asc(), "id")
    return rows.order_by("created_at" if filters.sort == "created" else "-created_at", "id")


def _facets(rows: Sequence[Any]) -> dict[str, list[tuple[str, int]]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in _FACETS}
    for _, type_key, outcome, pipeline, owner, tags in rows:
        values = {"type": type_key, "outcome": outcome, "pipeline": pipeline, "owner": owner}
        for name, value in values.items():
            if value or name == "outcome":
                counts[name][value] += 1
        counts["tag"].update(tags.split())
    return {name: count.most_common(_MOST_CHOICES) for name, count in counts.items()}
