"""Read access: reports that a caller may see, and the results that their blocks show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind, Report, ReportBlock, ReportVersion
from apps.runs import access
from apps.runs.gateway import endpoints
from apps.visualizations import selectors
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.states import RenderState

_MOST_NAMESPACES: Final = 200
# Long columns that a report's page does not need.
_LONG: Final = ("code", "log", "traceback", "visualization__text", "visualization__notes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBlock:
    """A block with the result that it shows now.

    Attributes:
        render: the result; None for texts, or if there is none to show.
        missing: why there is no result to show; "" if there is one, or for texts.
    """

    position: int
    kind: BlockKind
    text: str
    caption: str
    target_id: UUID | None
    render: Render | None
    missing: str

    @property
    def is_pinned(self) -> bool:
        """Whether it always shows the same render."""
        return self.kind is BlockKind.RENDER

    @property
    def title(self) -> str:
        """Title of the result; "" if there is none."""
        return self.render.visualization.title if self.render else ""


def reports_visible(caller: Caller) -> QuerySet[Report]:
    """Returns the reports that a caller may see, most recently changed first.

    As with visualizations, these are all, or on multi-user endpoints the caller's own and those of readable namespaces.
    """
    rows = Report.objects.filter(deleted_at=None).select_related("owner")
    if not caller.may(Right.VIEW):
        return rows.none()
    if caller.sees_everything or not access.is_divided():
        return rows
    if not caller.is_person:
        return rows.none()
    kept = Report.objects.exclude(namespace="").order_by().values_list("endpoint_key", "namespace").distinct()
    visible = Q(owner=caller.user_id) | (Q(namespace="") & ~Q(endpoint_key__in=_divided_keys()))
    for endpoint_key, namespace in access.readable(caller, kept[:_MOST_NAMESPACES]):
        visible |= Q(endpoint_key=endpoint_key, namespace=namespace)
    return rows.filter(visible)


def report_get(caller: Caller, report_id: UUID | str) -> Report:
    """Returns a report.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    found = reports_visible(caller).filter(id=selectors.id_read(report_id)).first()
    if found is None:
        raise NotFoundError("There is no such report.")
    return found


def reports_changeable(caller: Caller) -> QuerySet[Report]:
    """Returns the visible reports that a caller may change."""
    rows = reports_visible(caller)
    if caller.may(Right.ADMINISTER):
        return rows
    return rows.filter(owner=caller.user_id) if caller.is_person and caller.may(Right.CREATE) else rows.none()


def versions_of(caller: Caller, report: Report) -> QuerySet[ReportVersion]:
    """Returns a report's versions, newest first."""
    rows = ReportVersion.objects.filter(report__in=reports_visible(caller).values("id"), report=report)
    return rows.select_related("author")


def version_get(caller: Caller, report: Report, number: int | None = None) -> ReportVersion:
    """Returns a version of a report; None selects the newest.

    Raises:
        NotFoundError: there is no such version, or the caller may not see the report.
    """
    wanted = report.number if number is None else number
    found = versions_of(caller, report).filter(number=wanted).first()
    if found is None:
        raise NotFoundError(f"This report has no version {wanted}.")
    return found


def version_blocks(caller: Caller, version: ReportVersion) -> list[ReportBlock]:
    """Returns a version's blocks in order.

    Raises:
        NotFoundError: the caller may not see the report.
    """
    return list(version_get(caller, version.report, version.number).blocks.all())


def titles_kept(caller: Caller, report: Report) -> dict[UUID, str]:
    """Returns the stored titles of results in all versions of a report, by id; includes deleted results."""
    rows = ReportBlock.objects.filter(version__in=versions_of(caller, report).values("id"), target_id__isnull=False)
    return {each.target_id: each.target_title for each in rows.exclude(target_title="") if each.target_id}


def blocks_shown(
    caller: Caller, blocks: Iterable[ReportBlock | Draft], titles: Mapping[UUID, str] | None = None
) -> list[ShownBlock]:
    """Returns blocks with the results that a caller may see.

    Deleted results and results that are hidden from the caller look the same.

    Args:
        titles: stored titles of results by id, for drafts, which have none.
    """
    titles = titles or {}
    rows = list(blocks)
    found = _results(caller, rows)
    shown = []
    for position, each in enumerate(rows):
        kind = BlockKind(each.kind)
        render = found.get((kind, each.target_id))
        shown.append(
            ShownBlock(
                position=position,
                kind=kind,
                text=each.text,
                caption=each.caption,
                target_id=each.target_id,
                render=render,
                missing="" if kind is BlockKind.TEXT else _missing(kind, render, _title(each, titles)),
            )
        )
    return shown


def results_named(caller: Caller, drafts: Sequence[Draft]) -> dict[tuple[BlockKind, UUID | None], Render | None]:
    """Returns the render that each draft shows now, if the caller may see it; others are left out."""
    return _results(caller, drafts)


def renders_pinned() -> QuerySet[Any]:
    """Returns the ids of renders that any version of a report shows, which pruning keeps."""
    blocks = ReportBlock.objects.filter(target_id__isnull=False)
    pinned = blocks.filter(kind=BlockKind.RENDER).values("target_id")
    latest = Visualization.objects.filter(id__in=blocks.filter(kind=BlockKind.VISUALIZATION).values("target_id"))
    return Render.objects.filter(Q(id__in=pinned) | Q(id__in=selectors.results_latest(latest))).values("id")


def _divided_keys() -> list[str]:
    """Returns the keys of endpoints on which a report without a namespace is visible to its owner only."""
    known = endpoints.endpoints()
    keys = [each.key for each in known if each.is_multi_user]
    return ["", *keys] if known and known[0].is_multi_user else keys


def _results(caller: Caller, rows: Iterable[ReportBlock | Draft]) -> dict[tuple[BlockKind, UUID | None], Render | None]:
    ids: dict[BlockKind, set[UUID]] = {kind: set() for kind in BlockKind}
    for each in rows:
        if each.target_id is not None:
            ids[BlockKind(each.kind)].add(each.target_id)
    latest = _latest_of_series(caller, ids[BlockKind.SERIES])
    newest = _latest_of(caller, ids[BlockKind.VISUALIZATION] | set(latest.values()))
    renders = _renders(caller, ids[BlockKind.RENDER] | {each for each in newest.values() if each})
    found: dict[tuple[BlockKind, UUID | None], Render | None] = {}
    found |= {(BlockKind.RENDER, each): renders[each] for each in ids[BlockKind.RENDER] if each in renders}
    for kind, targets in (
        (BlockKind.VISUALIZATION, {each: each for each in ids[BlockKind.VISUALIZATION]}),
        (BlockKind.SERIES, latest),
    ):
        for target, visualization_id in targets.items():
            if visualization_id in newest:
                found[kind, target] = renders.get(newest[visualization_id])
    return found


def _latest_of_series(caller: Caller, recipe_ids: set[UUID]) -> dict[UUID, UUID]:
    """Returns for each series the visualization of its newest run that has a result."""
    if not recipe_ids:
        return {}
    rows = selectors.visualizations_visible(caller).filter(recipe=OuterRef("pk"), outcome=RenderState.SUCCEEDED)
    newest = rows.order_by(F("run_created_at").desc(nulls_last=True), "-created_at").values("id")[:1]
    found = Recipe.objects.filter(id__in=recipe_ids).annotate(newest=Subquery(newest)).values_list("id", "newest")
    return {recipe: visualization for recipe, visualization in found if visualization}


def _latest_of(caller: Caller, visualization_ids: set[UUID]) -> dict[UUID, Any]:
    if not visualization_ids:
        return {}
    rows: QuerySet[Visualization] = selectors.visualizations_visible(caller).filter(id__in=visualization_ids)
    # While it is being rendered again, or if that failed, the previous result is shown.
    good = selectors.results_latest(rows).values_list("id", "good")
    return dict(rows.values_list("id", "latest_id")) | dict(good)


def _renders(caller: Caller, render_ids: set[UUID]) -> dict[Any, Render]:
    if not render_ids:
        return {}
    rows = selectors.renders_visible(caller).filter(id__in=render_ids).defer(*_LONG)
    return rows.prefetch_related("figures").in_bulk()


def _title(block: ReportBlock | Draft, titles: Mapping[UUID, str]) -> str:
    if isinstance(block, ReportBlock):
        return block.target_title
    return titles.get(block.target_id, "") if block.target_id else ""


def _missing(kind: BlockKind, render: Render | None, title: str) -> str:
    if render is not None and render.html:
        return ""
    if render is not None:
        state = render.known_state.label.lower()
        return f"“{render.visualization.title}” has no result to show: {state}."
    what = {BlockKind.RENDER: "result", BlockKind.VISUALIZATION: "visualization"}.get(kind, "series")
    named = f"The {what} “{title}”" if title else f"A {what}"
    return f"{named} was here. It was deleted, or you may not see it."
