"""Admin pages of all rules, read-only; rules can be paused and deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.rules.models import Rule
from apps.rules.services import rule_change, rule_delete


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rules are created and edited on their own pages; here administrators pause or delete them."""

    list_display = ("name", "owner", "pipeline_pattern", "is_enabled", "failures", "created_at")
    list_filter = ("is_enabled",)
    list_select_related = ("owner",)
    search_fields = ("name", "pipeline_pattern", "owner__username")
    actions = ("pause",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """A rule is created from a result, on the portal's pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Owners edit their rules on the rule's page."""
        return False

    @admin.action(description="Pause selected rules", permissions=["delete"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        """Pauses the selected rules."""
        for each in queryset:
            rule_change(caller_of(request), each, is_enabled=False)

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        """Deletes the rule through the service."""
        rule_delete(caller_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            self.delete_model(request, each)
