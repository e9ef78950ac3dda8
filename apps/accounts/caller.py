"""Who calls a service: one object that every entry point builds once and passes on.

A service or selector that reads or writes somebody's data takes a caller as its first parameter, asks it for the right,
and hands it to the audit log. Nothing below an entry point reads the request for who asks.
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


# Whoever runs a command, and every process of the portal, can read and write the database anyway.
_TRUSTED: Final = frozenset({CallerKind.COMMAND, CallerKind.SYSTEM})
# The listener of Kubeflow's protocol checks its own token; Kubeflow has checked the person before.
_KFP_LISTENER_RIGHTS: Final = frozenset({Right.VIEW, Right.CREATE, Right.CUSTOM_CODE})
ADMIN_PATH: Final = "/admin/"
"""Under which the admin site is, after an endpoint's prefix was taken off."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Caller:
    """Who calls, through which entry point, and about which endpoint.

    Attributes:
        user: the account; None for commands, the system and the listener of Kubeflow's protocol. An anonymous user has
            no right at all.
        address: where the call came from, for the audit log; "" for this machine.
        request_id: "" outside of a request.
        endpoint_key: the endpoint the call is about; "" for the default one.
        namespace: the namespace that was chosen at that endpoint; "" where none was.
        request: holds the person's own credential for Kubeflow, which only the gateway reads; None outside of one.
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
        """Whether the call comes from the portal itself, or from whoever runs its commands."""
        return self.kind in _TRUSTED

    @property
    def is_person(self) -> bool:
        """Whether an account that is signed in and active calls."""
        return self.user is not None and bool(self.user.is_authenticated and self.user.is_active)

    @property
    def user_id(self) -> Any:
        """The account's primary key; None where no account calls."""
        return self.user.pk if self.is_person else None

    @property
    def owner(self) -> Any:
        """The account that owns what this call creates; None where no account calls."""
        return self.user if self.is_person else None

    @property
    def username(self) -> str:
        """The account's name; "" where no account calls."""
        return str(self.user.get_username()) if self.is_person else ""

    @property
    def sees_everything(self) -> bool:
        """Whether no namespace is hidden from this caller."""
        return self.is_trusted or (self.is_person and bool(self.user.is_superuser))

    def may(self, right: Right) -> bool:
        """Whether this caller has a right."""
        if self.is_trusted:
            return True
        if self.user is None:
            return self.kind is CallerKind.KFP_PROTOCOL and right in _KFP_LISTENER_RIGHTS
        return roles.may(self.user, right)

    def require(self, right: Right) -> None:
        """Requires a right of the caller.

        Raises:
            PermissionDenied: with a sentence for people.
        """
        if not self.may(right):
            raise PermissionDenied(roles.refusal(right))


def caller_of(request: HttpRequest) -> Caller:
    """Returns the caller of a page, of the admin site, or of an API request that was authenticated."""
    found: Caller | None = getattr(request, "caller", None)
    if found is None:
        is_admin = request.path_info.startswith(ADMIN_PATH)
        found = caller_set(request, request.user, CallerKind.ADMIN if is_admin else CallerKind.PAGE)
    return found


def caller_set(request: HttpRequest, user: Any, kind: CallerKind) -> Caller:
    """Makes a request the user's, who came through this entry point, and returns the caller."""
    request.user = user
    caller = request_caller(request, user, kind)
    request.caller = caller  # type: ignore[attr-defined]
    return caller


def request_caller(request: HttpRequest, user: Any, kind: CallerKind = CallerKind.PAGE) -> Caller:
    """Returns a caller with the facts of a request, such as for an account that is just signing in."""
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
    """Returns the caller of what the portal does for a person who is not there, with no more than their rights now.

    The audit log has the person's name, and `rule` in the place of an address.
    """
    return Caller(kind=CallerKind.RULE, user=user, address=CallerKind.RULE.value)


def command_caller() -> Caller:
    """Returns the caller of a management command."""
    return Caller(kind=CallerKind.COMMAND)


def system_caller() -> Caller:
    """Returns the caller of what the portal does by itself."""
    return Caller(kind=CallerKind.SYSTEM)
