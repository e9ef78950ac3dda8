"""Admin pages of all reports, to view and delete."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.reports.models import Report
from apps.reports.services import report_delete


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Reports are written on their own pages; here administrators find and delete them."""

    list_display = ("title", "owner", "namespace", "number", "changed_at", "deleted_at")
    list_select_related = ("owner",)
    search_fields = ("title", "namespace", "owner__username")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Reports are written on the portal's pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Owners edit their reports on the report's page."""
        return False

    def delete_model(self, request: HttpRequest, obj: Report) -> None:
        """Deletes the report through the service; its owner can restore it for a day."""
        report_delete(caller_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            self.delete_model(request, each)
