"""Admin pages of accounts, failed sign-ins, and the audit log, which can be searched and exported but not changed."""

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
# Spreadsheets interpret cells that begin like this as formulas.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file whose writes return the text, so that the csv module can write into a stream."""

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
        """Streams the selected entries as CSV."""
        response = StreamingHttpResponse(_lines(chosen), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Entries are never written by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:  # noqa: ARG002
        """Entries are never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:  # noqa: ARG002
        """Entries are not deleted here; `manage.py prune --audit-older-than DAYS` does that."""
        return False


@admin.register(AccessAttempt)
class AccessAttemptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Failed sign-ins; deleting those of a name unlocks it at once."""

    list_display = ("username", "ip_address", "failures_since_start", "is_locked", "attempt_time", "user_agent")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    fields = readonly_fields = (
        "username", "ip_address", "failures_since_start", "attempt_time", "path_info", "user_agent",
    )  # fmt: skip

    @admin.display(boolean=True, description="locked out")
    def is_locked(self, attempt: AccessAttempt) -> bool:
        """Whether this browser alone reached the limit; a lockout counts all browsers of a name and address."""
        return bool(attempt.failures_since_start >= settings.VIZPORTAL_LOGIN_FAILURES)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Failures are only recorded by sign-ins."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessAttempt | None = None) -> bool:  # noqa: ARG002
        """Failures are never changed."""
        return False


admin.site.unregister(get_user_model())
admin.site.unregister(Group)
# Anybody who could set these could grant permissions that they do not have.
_SUPERUSERS_ONLY: Final = ("is_superuser", "is_staff", "user_permissions")
# Requests to Kubeflow carry these names on endpoints that identify their callers.
_NAMES: Final = ("username", "email")


@admin.register(get_user_model())
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's page of accounts, restricted so that nobody can grant more than they have.

    It is open to superusers, and to people whom a superuser gave Django's permission for accounts. The latter may only
    manage accounts, and assign groups, without permissions that they lack themselves.
    """

    actions = ("sign_out",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may change accounts, or this one; the password page checks this too."""
        return super().has_change_permission(request, obj) and _may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete accounts, or this one."""
        return super().has_delete_permission(request, obj) and _may_manage(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Adds fields that only superusers may set."""
        fields = super().get_readonly_fields(request, obj)
        return fields if caller_of(request).sees_everything else (*fields, *_SUPERUSERS_ONLY, *_NAMES)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only: an account's name determines its identity in Kubeflow."""
        return caller_of(request).sees_everything and super().has_add_permission(request)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offers only the groups that the user may assign."""
        if db_field.name == "groups":
            options["queryset"] = accounts.groups_assignable(caller_of(request))
        return super().formfield_for_manytomany(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Saves the account, and records the changed fields in the audit log."""
        super().save_model(request, obj, form, change)
        action = "account.change" if change else "account.create"
        detail = ", ".join(form.changed_data)
        audit.record(caller_of(request), action, target=obj.pk, target_name=str(obj), detail=detail)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002  (Django's)
        """Changes an account's password, and records that in the audit log."""
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            audit.record(caller_of(request), "account.password", target=id)
        return answer

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Deletes an account that the user may manage."""
        accounts.manage_check(caller_of(request), obj)
        audit.record(caller_of(request), "account.delete", target=obj.pk, target_name=str(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Same as `delete_model`, for the bulk action; deletes nothing unless the user may manage all of them."""
        chosen = list(queryset)
        for each in chosen:
            accounts.manage_check(caller_of(request), each)
        for each in chosen:
            self.delete_model(request, each)

    @admin.action(description="Sign the selected people out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Ends all sessions of the selected people."""
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
    """Django's page of groups. Only superusers change groups, since that changes the permissions of all members."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only."""
        return caller_of(request).sees_everything and super().has_delete_permission(request, obj)
