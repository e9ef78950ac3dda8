"""Admin pages of all alerts and messages, read-only; alerts can be paused and deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.notifications.models import Alert, Delivery
from apps.notifications.services import alert_change, alert_delete


class _ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Rows are created by the portal's pages and the reconciler."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Rows are changed only by the portal's pages and the reconciler."""
        return False


@admin.register(Alert)
class AlertAdmin(_ReadOnlyAdmin):
    """Alerts are created and edited on their own pages; here administrators pause or delete them."""

    list_display = ("name", "owner", "event", "is_enabled", "problem", "created_at")
    list_filter = ("is_enabled", "event")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "figure")
    actions = ("pause",)

    @admin.action(description="Pause selected alerts", permissions=["delete"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Pauses the selected alerts."""
        for each in queryset:
            alert_change(caller_of(request), each, is_enabled=False)

    def delete_model(self, request: HttpRequest, obj: Alert) -> None:
        """Deletes the alert through the service."""
        alert_delete(caller_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            self.delete_model(request, each)


@admin.register(Delivery)
class DeliveryAdmin(_ReadOnlyAdmin):
    """Messages, to find out why one did not arrive."""

    list_display = ("created_at", "alert", "target", "recipient", "state", "attempts", "status_code", "error")
    list_filter = ("state",)
    list_select_related = ("alert", "target", "recipient")
    search_fields = ("alert__name", "target__shown", "error")
