"""API operations of reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import Caller, caller_of
from apps.reports import drafting, selectors, services
from apps.reports.blocks import Draft
from apps.reports.differences import Change, ChangeKind, versions_compare
from apps.reports.models import BlockKind, Report, ReportVersion
from apps.visualizations.api.pages import page_at
from apps.visualizations.api.schemas import errors
from apps.visualizations.selectors import visualization_get
from apps.visualizations.services.rights import change_check

router = Router(tags=["reports"])
PageSize = Annotated[int, Query(ge=1, le=200)]
Number = Annotated[int, Query(ge=1, le=999_999_999)]


class BlockIn(Schema):
    """A text, or a result: `kind` says whether `id` is that of a render, a visualization or a series."""

    kind: BlockKind = BlockKind.TEXT
    text: str = Field("", description="Markdown, of a text.")
    caption: str = ""
    id: UUID | None = None

    def draft(self) -> Draft:
        """Returns the block as a draft, unchecked."""
        return Draft(kind=self.kind, text=self.text, caption=self.caption, target_id=self.id)


class ReportIn(Schema):
    """A new report: its blocks, or visualizations whose current results it shows."""

    title: str
    blocks: list[BlockIn] = []
    visualization_ids: list[UUID] = Field([], max_length=100)
    namespace: str = Field("", description="Its readers may read the report; by default the namespace of its results.")


class ReportChanges(Schema):
    """The next version, based on version `number`; omitted fields stay as they are."""

    number: int
    title: str | None = None
    blocks: list[BlockIn] | None = None


class RestoreIn(Schema):
    """The version to save again."""

    number: int


class ReportOut(Schema):
    """A report; `number` is that of its newest version."""

    id: str
    title: str
    url: str
    download_url: str
    owner: str
    namespace: str
    number: int
    created_at: datetime
    changed_at: datetime


class BlockOut(Schema):
    """A block; `render_id` is the result it shows now, and `missing` says why there is none."""

    kind: str
    text: str
    caption: str
    id: str | None
    title: str
    render_id: str | None
    missing: str


class ReportDetailsOut(ReportOut):
    """A report with its blocks."""

    blocks: list[BlockOut]


class ReportPage(Schema):
    """A page of reports."""

    items: list[ReportOut]
    next: str | None


class VersionOut(Schema):
    """A version of a report."""

    number: int
    title: str
    author: str
    created_at: datetime
    url: str


class VersionPage(Schema):
    """A page of versions."""

    items: list[VersionOut]
    next: str | None


class ChangeOut(Schema):
    """A change to one block. `lines` are those of a text, with `+` or `-` before the ones that differ."""

    kind: ChangeKind
    position: int
    words: str
    lines: list[str]


class ChangesOut(Schema):
    """The changes from one version to another."""

    before: VersionOut
    after: VersionOut
    changes: list[ChangeOut]


@router.get("", response={200: ReportPage, **errors(400)}, url_name="reports")
def reports_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists the reports that you may see, most recently changed first."""
    rows = selectors.reports_visible(caller_of(request))
    found, following = page_at(rows, page_size=page_size, page_token=page_token)
    return {"items": [_shape(each) for each in found], "next": following}


@router.post("", response={201: ReportDetailsOut, **errors(400, 404)}, url_name="report_create")
def report_create(request: HttpRequest, payload: ReportIn) -> Any:
    """Creates a report from blocks, or from visualizations as they are now."""
    caller = caller_of(request)
    chosen = [visualization_get(caller, each) for each in payload.visualization_ids]
    drafts = [each.draft() for each in payload.blocks]
    drafts += drafting.drafts_from(chosen)
    drafting.blocks_check(caller, drafts)
    endpoint_key, namespace = drafting.place_for(caller, drafts, payload.namespace)
    report = services.report_create(caller, payload.title, drafts, endpoint_key=endpoint_key, namespace=namespace)
    return Status(201, _details(caller, report))


@router.get("/{report_id}", response={200: ReportDetailsOut, **errors(404)}, url_name="report")
def report_get(request: HttpRequest, report_id: UUID, number: int | None = None) -> Any:
    """Returns a report with the blocks of its newest version, or of version `number`."""
    caller = caller_of(request)
    return _details(caller, selectors.report_get(caller, report_id), number)


@router.patch("/{report_id}", response={200: ReportDetailsOut, **errors(400, 404, 409)})
def report_change(request: HttpRequest, report_id: UUID, payload: ReportChanges) -> Any:
    """Saves a new version. 409 if somebody saved another version after the one that yours is based on."""
    caller = caller_of(request)
    report = selectors.report_get(caller, report_id)
    change_check(caller, report)
    if payload.blocks is None:
        drafts = drafting.drafts_saved(caller, report, payload.number)
    else:
        drafts = [each.draft() for each in payload.blocks]
        drafting.blocks_check(caller, drafts, known=report)
    title = report.title if payload.title is None else payload.title
    services.report_save(caller, report, payload.number, title, drafts)
    return _details(caller, report)


@router.delete("/{report_id}", response={204: None, **errors(404)})
def report_delete(request: HttpRequest, report_id: UUID) -> Any:
    """Deletes a report; the page that lists reports can restore it for a day."""
    caller = caller_of(request)
    services.report_delete(caller, selectors.report_get(caller, report_id))
    return Status(204, None)


@router.get("/{report_id}/versions", response={200: VersionPage, **errors(400, 404)}, url_name="report_versions")
def versions_list(request: HttpRequest, report_id: UUID, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists a report's versions, newest first."""
    caller = caller_of(request)
    rows = selectors.versions_of(caller, selectors.report_get(caller, report_id))
    found, following = page_at(rows, page_size=page_size, page_token=page_token)
    return {"items": [_version(each) for each in found], "next": following}


@router.get("/{report_id}/changes", response={200: ChangesOut, **errors(400, 404)}, url_name="report_changes")
def changes_list(request: HttpRequest, report_id: UUID, before: Number, after: Number) -> Any:
    """Returns the changes from version `before` to version `after`."""
    caller = caller_of(request)
    difference = versions_compare(caller, selectors.report_get(caller, report_id), before, after)
    return {
        "before": _version(difference.before),
        "after": _version(difference.after),
        "changes": [_change(each) for each in difference.changes],
    }


@router.post(
    "/{report_id}/restore", response={200: ReportDetailsOut, **errors(400, 404, 409)}, url_name="report_restore"
)
def report_restore(request: HttpRequest, report_id: UUID, payload: RestoreIn) -> Any:
    """Saves an older version again, as the newest one."""
    caller = caller_of(request)
    report = selectors.report_get(caller, report_id)
    services.report_restore(caller, report, payload.number)
    return _details(caller, report)


def _shape(report: Report) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "title": report.title,
        "url": report.get_absolute_url(),
        "download_url": reverse("reports:report_download", args=[report.id]),
        "owner": report.owner.get_username() if report.owner else "",
        "namespace": report.namespace,
        "number": report.number,
        "created_at": report.created_at,
        "changed_at": report.changed_at,
    }


def _details(caller: Caller, report: Report, number: int | None = None) -> dict[str, Any]:
    version = selectors.version_get(caller, report, number)
    blocks = selectors.blocks_shown(caller, version.blocks.all())
    shapes = [
        {
            "kind": each.kind.value,
            "text": each.text,
            "caption": each.caption,
            "id": str(each.target_id) if each.target_id else None,
            "title": each.title,
            "render_id": str(each.render.id) if each.render else None,
            "missing": each.missing,
        }
        for each in blocks
    ]
    return _shape(report) | {"number": version.number, "title": version.title, "blocks": shapes}


def _version(version: ReportVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "title": version.title,
        "author": version.author.get_username() if version.author else "",
        "created_at": version.created_at,
        "url": reverse("reports:report_version", args=[version.report_id, version.number]),
    }


def _change(change: Change) -> dict[str, Any]:
    lines = [each.text for each in change.lines]
    return {"kind": change.kind, "position": change.position, "words": change.words, "lines": lines}
