"""Creates, saves, restores and deletes reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.reports import selectors
from apps.reports.blocks import LONGEST_TITLE, Draft, drafts_clean, drafts_of
from apps.reports.models import Report, ReportBlock, ReportVersion
from apps.visualizations.exceptions import NotFoundError, WrongStateError
from apps.visualizations.lines import line_clean
from apps.visualizations.models import Render
from apps.visualizations.services.rights import change_check, namespace_check, right_check

UNDO: Final = timedelta(days=1)
_MOST_PURGED: Final = 100


class ReportChangedError(WrongStateError):
    """Somebody saved the report meanwhile.

    Attributes:
        number: of the newest version now.
    """

    code = "wrong_state"

    def __init__(self, version: ReportVersion) -> None:
        author = version.author.get_username() if version.author else "Somebody"
        super().__init__(f"{author} saved version {version.number} while you were writing. Yours is not saved yet.")
        self.number = version.number


def report_create(
    caller: Caller, title: str, drafts: Sequence[Draft], *, endpoint_key: str = "", namespace: str = ""
) -> Report:
    """Creates a report with its first version. People who may read its namespace may read it.

    Raises:
        NotAllowedError: the caller may not create.
        InvalidRequestError: the title or a block is invalid.
        NotFoundError: the caller may not read the namespace.
    """
    right_check(caller, Right.CREATE)
    namespace_check(caller, endpoint_key, namespace)
    report = Report(
        title=line_clean(title, least=1, most=LONGEST_TITLE),
        owner=caller.owner,
        endpoint_key=endpoint_key[:100],
        namespace=namespace[:100],
    )
    with transaction.atomic():
        report.save(force_insert=True)
        _version_add(caller, report, drafts)
        _record(caller, "report.create", report)
    return report


def report_save(caller: Caller, report: Report, base: int, title: str, drafts: Sequence[Draft]) -> ReportVersion:
    """Saves a new version, based on version `base`.

    Raises:
        NotAllowedError: the caller is neither the owner, with the permission to create, nor an administrator.
        InvalidRequestError: the title or a block is invalid.
        ReportChangedError: somebody saved another version meanwhile; nothing was changed.
    """
    change_check(caller, report)
    title = line_clean(title, least=1, most=LONGEST_TITLE)
    clean = drafts_clean(drafts)
    with transaction.atomic():
        now = timezone.now()
        mine = Report.objects.filter(id=report.id, number=base)
        if not mine.update(number=base + 1, title=title, changed_at=now):
            report.refresh_from_db()
            raise ReportChangedError(
                ReportVersion.objects.select_related("author").get(report=report, number=report.number)
            )
        report.number, report.title, report.changed_at = base + 1, title, now
        version = _version_add(caller, report, clean)
        _record(caller, "report.save", report, detail=f"version {version.number}")
    return version


def report_restore(caller: Caller, report: Report, number: int) -> ReportVersion:
    """Saves an older version again, as the newest one.

    Raises:
        NotAllowedError, ReportChangedError: see `report_save`.
        NotFoundError: there is no such version.
    """
    old = selectors.version_get(caller, report, number)
    return report_save(caller, report, report.number, old.title, drafts_of(old.blocks.all()))


def report_append(caller: Caller, report: Report, drafts: Sequence[Draft]) -> ReportVersion:
    """Appends blocks to a report, in a new version.

    Raises:
        NotAllowedError, InvalidRequestError, ReportChangedError: see `report_save`.
    """
    newest = selectors.version_get(caller, report)
    return report_save(caller, report, newest.number, newest.title, [*drafts_of(newest.blocks.all()), *drafts])


def report_delete(caller: Caller, report: Report) -> None:
    """Deletes a report: it becomes invisible, and can be restored within a day.

    Raises:
        NotAllowedError: see `report_save`.
    """
    change_check(caller, report)
    with transaction.atomic():
        Report.objects.filter(id=report.id, deleted_at=None).update(deleted_at=timezone.now())
        _record(caller, "report.delete", report)


def report_undelete(caller: Caller, report_id: UUID | str) -> Report:
    """Restores a deleted report.

    Raises:
        NotFoundError: it was not deleted, was purged, or is in a namespace that the caller may not read.
        NotAllowedError: see `report_save`.
    """
    right_check(caller, Right.CREATE)
    deleted = Report.objects.filter(deleted_at__isnull=False).select_related("owner")
    try:
        found = deleted.filter(id=UUID(str(report_id))).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFoundError("There is nothing to restore: it was not deleted, or is gone for good.")
    namespace_check(caller, found.endpoint_key, found.namespace)
    change_check(caller, found)
    with transaction.atomic():
        Report.objects.filter(id=found.id).update(deleted_at=None)
        _record(caller, "report.undelete", found)
    return found


def reports_purge(before: datetime | None = None) -> int:
    """Purges reports deleted before a time, by default a day ago; returns how many, at most a hundred."""
    before = before or timezone.now() - UNDO
    old = list(Report.objects.filter(deleted_at__lt=before).order_by("deleted_at").values_list("id", flat=True))
    Report.objects.filter(id__in=old[:_MOST_PURGED]).delete()
    return len(old[:_MOST_PURGED])


def _version_add(caller: Caller, report: Report, drafts: Sequence[Draft]) -> ReportVersion:
    clean = drafts_clean(drafts)
    results = selectors.results_named(caller, clean)
    version = ReportVersion.objects.create(report=report, number=report.number, title=report.title, author=caller.owner)
    before = selectors.titles_kept(caller, report)
    ReportBlock.objects.bulk_create(
        ReportBlock(
            version=version,
            position=position,
            kind=each.kind,
            text=each.text,
            caption=each.caption,
            target_id=each.target_id,
            target_title=_title_for(
                report,
                results.get((each.kind, each.target_id)),
                before.get(each.target_id, "") if each.target_id else "",
            ),
        )
        for position, each in enumerate(clean)
    )
    return version


def _title_for(report: Report, render: Render | None, before: str) -> str:
    """Returns the title that readers may see after a result is gone; "" if it is in another namespace."""
    if render is None:
        return before
    visualization = render.visualization
    place = (visualization.endpoint_key, visualization.namespace)
    is_readable = not visualization.namespace or place == (report.endpoint_key, report.namespace)
    return visualization.title[:200] if is_readable else ""


def _record(caller: Caller, action: str, report: Report, *, detail: str = "") -> None:
    audit.record(
        caller,
        action,
        target=report.id,
        target_name=report.title,
        endpoint_key=report.endpoint_key,
        namespace=report.namespace,
        detail=detail,
    )
