"""People in the admin site: the audit log (to search and to export, not to change), failed sign-ins, accounts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from apps.accounts import accounts, audit, sessions
from apps.accounts.caller import caller_of
from apps.accounts.models import AuditEntry

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
admin.site.unregister(Group)
# Whoever could set these would give rights that they may not give.
_SUPERUSERS_ONLY: Final = ("is_superuser", "is_staff", "user_permissions")
# Requests to Kubeflow carry these names where an endpoint identifies its callers.
_NAMES: Final = ("username", "email")


@admin.register(get_user_model())
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own page of accounts, where nobody raises anybody above themselves.

    It is open to superusers, and to those whom a superuser gave Django's permission for accounts. The latter manage
    accounts that have no permission which they lack, and put people into groups that have none either.
    """

    actions = ("sign_out",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether one may change accounts, or this one; the page of its password asks this too."""
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether one may delete accounts, or this one."""
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What only superusers set, to everybody else."""
        fields = super().get_readonly_fields(request, obj)
        return fields if caller_of(request).sees_everything else (*fields, *_SUPERUSERS_ONLY, *_NAMES)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only: whoever names an account says who it is to Kubeflow."""
        return caller_of(request).sees_everything and super().has_add_permission(request)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offers the groups that one may put people into."""
        if db_field.name == "groups":
            options["queryset"] = accounts.groups_assignable(caller_of(request))
        return super().formfield_for_manytomany(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Saves the account, and writes into the audit log what was changed."""
        super().save_model(request, obj, form, change)
        action = "account.change" if change else "account.create"
        detail = ", ".join(form.changed_data)
        audit.record(caller_of(request), action, target=obj.pk, target_name=str(obj), detail=detail)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002  (Django's)
        """Changes an account's password, and writes that into the audit log."""
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            audit.record(caller_of(request), "account.password", target=id)
        return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Deletes an account that one may manage."""
        accounts.manage_check(caller_of(request), obj)
        audit.record(caller_of(request), "account.delete", target=obj.pk, target_name=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """As `delete_model`, for the action; deletes none where one may not be managed."""
        chosen = list(queryset)
        for each in chosen:
            accounts.manage_check(caller_of(request), each)
        for each in chosen:
            self.delete_model(request, each)

    @admin.action(description="Sign the selected people out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Ends every session of theirs."""
        for user in chosen:
            try:
                count = sessions.sign_out_everywhere(caller_of(request), user)
            except PermissionDenied as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"Ended {count} sign-ins of {user}. Tokens of scripts are not among them.")


def _may_manage(request: HttpRequest, account: Any) -> bool:
    return account is None or accounts.may_manage(caller_of(request), account)


@admin.register(Group)
class RoleGroupAdmin(GroupAdmin):
    """Django's own page of groups. Only superusers change what a group may do: it would change its members' rights."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_delete_permission(request, obj)
