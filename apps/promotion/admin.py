"""Admin pages of all proposals, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.promotion.models import Proposal, Version


class VersionInline(admin.TabularInline):  # type: ignore[type-arg]
    """The versions of a proposal; their files are on its own page."""

    model = Version
    fk_name = "proposal"
    fields = ("number", "key", "title", "state", "created_at", "proposed_at", "reviewer_name", "decided_at", "comment")
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Authors write versions on the proposal's page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """A version never changes, and its state only changes by a decision."""
        return False


@admin.register(Proposal)
class ProposalAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Proposals are decided on their own pages; here administrators see the outcomes."""

    list_display = ("__str__", "author_name", "pending", "approved", "retired_at", "created_at")
    list_select_related = ("pending", "approved")
    search_fields = ("key", "author_name", "versions__title")
    fields = ("key", "author", "author_name", "pending", "approved", "retired_at", "created_at")
    readonly_fields = fields
    inlines = (VersionInline,)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """A proposal is created from a result, on the portal's pages."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Proposals are not decided here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """The provenance of results refers to approved versions."""
        return False
