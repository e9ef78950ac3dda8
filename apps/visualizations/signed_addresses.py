"""Addresses of results on an origin of their own, which gets no cookie: the signature in them is who asks."""

from __future__ import annotations

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
        portal: the origin of the page that may show the result in a frame.
    """

    portal: str


def signed_address(caller: Caller, request: HttpRequest, render: Render) -> str:
    """Returns the address of a render's page for a caller who may see it, valid for `LIFE_S` seconds."""
    facts = {"render": str(render.id), "user": caller.user_id, "portal": f"{request.scheme}://{request.get_host()}"}
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
    user = get_user_model().objects.filter(pk=facts["user"], is_active=True).first()
    if user is None or not roles.may(user, Right.VIEW):
        return None
    return SignedAddress(portal=facts["portal"])
