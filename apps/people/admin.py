"""People in the admin site: the audit log (to search and to export, not to change), failed sign-ins, accounts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from apps.people import audit, sessions
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


@admin.register(AccessAttempt)
class AccessAttemptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Failed sign-ins; deleting a name's lets it in again at once."""

    list_display = ("username", "ip_address", "failures_since_start", "is_locked", "attempt_time", "user_agent")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    fields = readonly_fields = (
        "username", "ip_address", "failures_since_start", "attempt_time", "path_info", "user_agent",
    )  # fmt: skip

    @admin.display(boolean=True, description="locked out")
    def is_locked(self, attempt: AccessAttempt) -> bool:
        """Whether this browser alone has failed often enough; all of one name and address count together."""
        return bool(attempt.failures_since_start >= settings.VIZPORTAL_LOGIN_FAILURES)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody fails by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessAttempt | None = None) -> bool:  # noqa: ARG002
        """What happened is not changed."""
        return False


admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own page of accounts, with a way to end somebody's sign-ins."""

    actions = ("sign_out",)

    @admin.action(description="Sign the chosen people out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Ends every session of theirs."""
        for user in chosen:
            count = sessions.sign_out_everywhere(user.pk)
            detail = f"{count} sessions"
            audit.record("sign_out.everywhere", request=request, target=user.pk, target_name=str(user), detail=detail)
            messages.success(request, f"Ended {count} sign-ins of {user}. Tokens of scripts are not among them.")
