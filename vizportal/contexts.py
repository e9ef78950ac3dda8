"""What every page's template knows about this site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  (Django passes it)
    """Returns the names base.html uses.

    `kubeflow_host` is the endpoint's address ("" when none is configured); `is_local` says that nobody signs in here.
    """
    return {"kubeflow_host": settings.KFP_HOST, "is_local": settings.VIZPORTAL_AUTH == "local"}
