"""Addresses of results on an origin of their own, which gets no cookie: the signature in them is who asks."""

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
    """What a valid signature says.

    Attributes:
        portal: the origin of the page that may show the result in a frame, and those of pages around that one.
    """

    portal: str


_grants: dict[str, Callable[[str, UUID], bool]] = {}


def grant_register(name: str, holds: Callable[[str, UUID], bool]) -> None:
    """Lets an app above this one sign addresses for people without an account.

    Args:
        holds: asked with the grant's id and the render's whether the one still gives the other.
    """
    _grants[name] = holds


def signed_address(caller: Caller, request: HttpRequest, render: Render) -> str:
    """Returns the address of a render's page for a caller who may see it, valid for `LIFE_S` seconds."""
    return _signed(request, render, {"user": caller.user_id}, ())


def granted_address(request: HttpRequest, render: Render, grant: tuple[str, str], around: Iterable[str] = ()) -> str:
    """Returns the address of a render's page for whoever holds a grant, valid for `LIFE_S` seconds.

    Args:
        grant: the name that was registered, and the grant's id.
        around: origins of pages that may show the portal's own page in a frame.
    """
    return _signed(request, render, {"grant": list(grant)}, around)


def _signed(request: HttpRequest, render: Render, who: dict[str, Any], around: Iterable[str]) -> str:
    portal = " ".join([f"{request.scheme}://{request.get_host()}", *around])
    facts = {"render": str(render.id), "portal": portal} | who
    key = signing.dumps(facts, salt=_SALT)
    # What else was asked for, such as which page of a running render, makes the address another one.
    query = urlencode({**request.GET.dict(), "key": key})
    return f"{settings.VIZPORTAL_RESULTS_ORIGIN}/renders/{render.id}/content?{query}"


def address_read(render_id: UUID, key: str) -> SignedAddress | None:
    """Returns what a signature contains.

    None where it is not valid for this render, is too old, or its user may no longer view the render.

    Which namespaces the person may read is not asked again: this origin has no credential of theirs for Kubeflow.
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
