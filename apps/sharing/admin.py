"""Admin pages of all links, to view and revoke."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.caller import caller_of
from apps.sharing.models import Share
from apps.sharing.services import share_revoke


@admin.register(Share)
class ShareAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Links are created on the portal's pages; here administrators revoke them. Deleting a link revokes it."""

    list_display = ("prefix", "title", "what", "created_by", "expires_at", "revoked_at", "uses", "last_used_at")
    list_filter = ("revoked_at",)
    list_select_related = ("created_by", "report", "visualization", "render__visualization")
    search_fields = ("prefix", "created_by__username", "report__title", "visualization__title")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """A link is created on the page of its target."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Links never change."""
        return False

    @admin.action(description="Revoke selected links", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        """Revokes the selected links."""
        for each in queryset:
            share_revoke(caller_of(request), each, now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Share) -> None:
        """Revokes the link; its row, with the count of uses, stays."""
        share_revoke(caller_of(request), obj, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        """Same as `delete_model`, for the bulk action."""
        self.revoke(request, queryset)
