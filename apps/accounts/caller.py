"""The caller of a service: one object that every entry point builds once and passes on.

A service or selector that reads or writes people's data takes a caller as its first parameter, checks its permissions,
and passes it to the audit log. Below the entry points, no code reads the request to identify the user.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.accounts import roles
from apps.accounts.addresses import client_address
from apps.accounts.rights import Right
from apps.telemetry.context import request_id


class CallerKind(enum.StrEnum):
    """The entry point through which a call came."""

    PAGE = "page"
    API = "api"
    TOKEN = "token"  # noqa: S105  (the word, not a secret)
    KFP_PROTOCOL = "kfp_protocol"
    ADMIN = "admin"
    RULE = "rule"
    COMMAND = "command"
    SYSTEM = "system"


# Commands and the portal's own processes can access the database anyway.
_TRUSTED: Final = frozenset({CallerKind.COMMAND, CallerKind.SYSTEM})
# The listener of Kubeflow's protocol checks its own token; Kubeflow has already authorized the person.
_KFP_LISTENER_RIGHTS: Final = frozenset({Right.VIEW, Right.CREATE, Right.CUSTOM_CODE})
ADMIN_PATH: Final = "/admin/"
"""Path of the admin site, after removal of an endpoint's prefix."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Caller:
    """The origin of a call: account, entry point and endpoint.

    Attributes:
        user: the account; None for commands, the system and the listener of Kubeflow's protocol. An anonymous user has
            no permissions.
        address: the client's address, for the audit log; "" for this machine.
        request_id: "" outside of a request.
        endpoint_key: the endpoint that the call is about; "" for the default one.
        namespace: the namespace chosen at that endpoint; "" for none.
        request: holds the person's Kubeflow credential, which only the gateway reads; None outside of a request.
    """

    kind: CallerKind
    user: Any = None
    address: str = ""
    request_id: str = ""
    endpoint_key: str = ""
    namespace: str = ""
    request: HttpRequest | None = field(default=None, repr=False)

    @property
    def is_trusted(self) -> bool:
        """Whether the call comes from the portal itself or from a management command."""
        return self.kind in _TRUSTED

    @property
    def is_person(self) -> bool:
        """Whether the caller is a signed-in, active account."""
        return self.user is not None and bool(self.user.is_authenticated and self.user.is_active)

    @property
    def user_id(self) -> Any:
        """The account's primary key; None without an account."""
        return self.user.pk if self.is_person else None

    @property
    def owner(self) -> Any:
        """The account that owns objects this call creates; None without an account."""
        return self.user if self.is_person else None

    @property
    def username(self) -> str:
        """The account's name; "" without an account."""
        return str(self.user.get_username()) if self.is_person else ""

    @property
    def sees_everything(self) -> bool:
        """Whether the caller may see all namespaces."""
        return self.is_trusted or (self.is_person and bool(self.user.is_superuser))

    def may(self, right: Right) -> bool:
        """Whether the caller has a permission."""
        if self.is_trusted:
            return True
        if self.user is None:
            return self.kind is CallerKind.KFP_PROTOCOL and right in _KFP_LISTENER_RIGHTS
        return roles.may(self.user, right)

    def may_change(self, owner_id: Any, right: Right = Right.CREATE) -> bool:
        """Whether the caller may change or delete an object: administrators, and its owner with the permission."""
        return self.may(Right.ADMINISTER) or (self.is_person and owner_id == self.user_id and self.may(right))

    def require(self, right: Right) -> None:
        """Requires a permission.

        Raises:
            PermissionDenied: the caller lacks it; the message is meant for users.
        """
        if not self.may(right):
            raise PermissionDenied(roles.refusal(right))


def caller_of(request: HttpRequest) -> Caller:
    """Returns the caller of a page, of the admin site, or of an authenticated API request."""
    found: Caller | None = getattr(request, "caller", None)
    if found is None:
        is_admin = request.path_info.startswith(ADMIN_PATH)
        found = caller_set(request, request.user, CallerKind.ADMIN if is_admin else CallerKind.PAGE)
    return found


def caller_set(request: HttpRequest, user: Any, kind: CallerKind) -> Caller:
    """Sets a request's user and caller for an entry point, and returns the caller."""
    request.user = user
    caller = request_caller(request, user, kind)
    request.caller = caller  # type: ignore[attr-defined]
    return caller


def request_caller(request: HttpRequest, user: Any, kind: CallerKind = CallerKind.PAGE) -> Caller:
    """Returns a caller from a request and a user, such as an account that is just signing in."""
    return Caller(
        kind=kind,
        user=user,
        address=client_address(request.META)[:64],
        request_id=request_id(),
        endpoint_key=getattr(request, "endpoint_key", ""),
        namespace=getattr(request, "kubeflow_namespace", ""),
        request=request,
    )


def absent_caller(user: Any) -> Caller:
    """Returns a caller for work on behalf of an absent person, limited to the permissions they have now.

    The audit log records the person's name, and `rule` as the address.
    """
    return Caller(kind=CallerKind.RULE, user=user, address=CallerKind.RULE.value)


def command_caller() -> Caller:
    """Returns the caller of management commands."""
    return Caller(kind=CallerKind.COMMAND)


def system_caller() -> Caller:
    """Returns the caller of the portal's own work."""
    return Caller(kind=CallerKind.SYSTEM)
