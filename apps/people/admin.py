"""The audit log in the admin site: to search and to export, not to change."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from apps.people.models import AuditEntry

_COLUMNS = (
    "at", "username", "action", "outcome", "endpoint_key", "namespace", "target", "target_name", "detail", "address",
)  # fmt: skip
# A spreadsheet takes a cell that begins like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file whose writes come back, for the csv module to write into a stream."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    for row in rows.values_list(*_COLUMNS).iterator():
        texts = [str(value) for value in row]
        yield writer.writerow([f"'{text}" if text.startswith(_FORMULA) else text for text in texts])


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who did what, newest first."""

    list_display = ("at", "username", "action", "outcome", "target_name", "endpoint_key", "namespace", "address")
    list_filter = ("action", "outcome", "endpoint_key", "at")
    search_fields = ("username", "target", "target_name", "detail")
    date_hierarchy = "at"
    actions = ("export",)
    list_per_page = 100

    @admin.action(description="Export as CSV")
    def export(self, request: HttpRequest, chosen: QuerySet[AuditEntry]) -> StreamingHttpResponse:  # noqa: ARG002
        """Streams the chosen entries as a file."""
        response = StreamingHttpResponse(_lines(chosen), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody writes entries by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:  # noqa: ARG002
        """Nobody changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes them here; `manage.py prune --audit-older-than DAYS` does."""
        return False
