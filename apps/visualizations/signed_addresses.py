"""Signed addresses on the results' own origin, which gets no cookies: the signature identifies the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.http import HttpRequest

from apps.accounts import roles
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.models import Render

LIFE_S: Final = 300
_SALT: Final = "vizportal.results-origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAddress:
    """The content of a valid signature.

    Attributes:
        portal: origins that may frame the result: that of the portal's page, and those of the pages around it.
    """

    portal: str


_grants: dict[str, Callable[[str, UUID], bool]] = {}


def grant_register(name: str, holds: Callable[[str, UUID], bool]) -> None:
    """Lets a higher app sign addresses for people without an account.

    Args:
        holds: called with the grant's id and the render's id; returns whether the grant still covers the render.
    """
    _grants[name] = holds


def signed_address(caller: Caller, request: HttpRequest, render: Render) -> str:
    """Returns the address of a render's page for a caller who may see it, valid for `LIFE_S` seconds."""
    return _signed(request, render, {"user": caller.user_id}, ())


def granted_address(request: HttpRequest, render: Render, grant: tuple[str, str], around: Iterable[str] = ()) -> str:
    """Returns the address of a render's page for the holder of a grant, valid for `LIFE_S` seconds.

    Args:
        grant: the registered name, and the grant's id.
        around: origins of pages that may frame the portal's own page.
    """
    return _signed(request, render, {"grant": list(grant)}, around)


def _signed(request: HttpRequest, render: Render, who: dict[str, Any], around: Iterable[str]) -> str:
    portal = " ".join([f"{request.scheme}://{request.get_host()}", *around])
    facts = {"render": str(render.id), "portal": portal} | who
    key = signing.dumps(facts, salt=_SALT)
    # Other parameters, such as the page number of a running render, must stay part of the address.
    query = urlencode({**request.GET.dict(), "key": key})
    return f"{settings.VIZPORTAL_RESULTS_ORIGIN}/renders/{render.id}/content?{query}"


def address_read(render_id: UUID, key: str) -> SignedAddress | None:
    """Verifies a signature and returns its content.

    None if it is not valid for this render or has expired, or if its user may no longer view renders.

    The person's namespaces are not checked again: this origin has no Kubeflow credential of theirs.
    """
    try:
        facts: dict[str, Any] = signing.loads(key, salt=_SALT, max_age=LIFE_S)
    except signing.BadSignature:
        return None
    if facts["render"] != str(render_id):
        return None
    is_granted = _is_granted(facts["grant"], render_id) if "grant" in facts else _may_view(facts["user"])
    return SignedAddress(portal=facts["portal"]) if is_granted else None


def _is_granted(grant: list[str], render_id: UUID) -> bool:
    name, grant_id = grant
    return name in _grants and _grants[name](grant_id, render_id)


def _may_view(user_id: Any) -> bool:
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    return user is not None and roles.may(user, Right.VIEW)
