"""Admin page of API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.visualizations.models import ApiToken
from apps.visualizations.services.tokens import token_create, token_revoke


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A token is shown once, at creation, and belongs to its creator; afterwards it can only be revoked."""

    list_display = ("name", "prefix", "user", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """Name and expiry at creation; the rest is automatic, since a token always acts as its creator."""
        return ("name", "expires_at") if obj is None else self.list_display

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Tokens cannot be changed, only revoked."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: ModelForm[ApiToken], change: bool) -> None:  # noqa: ARG002, FBT001
        """Creates the token and shows it this once."""
        caller = caller_of(request)
        obj.user = caller.owner
        raw = token_create(caller, obj)
        messages.warning(request, f"Copy the token now, it is not shown again: {raw}")

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        """Revokes the token."""
        token_revoke(caller_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            token_revoke(caller_of(request), each)
