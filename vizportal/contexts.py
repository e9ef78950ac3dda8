"""What every page's template knows about this site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.runs.exceptions import RunsError
from apps.runs.gateway.endpoints import endpoint, endpoints
from apps.runs.middleware import endpoint_path

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Returns the names base.html uses.

    `endpoint` is the one this page is about (None where no Kubeflow is configured), `endpoints` every one with the
    address of its runs, `namespace` the chosen one; `is_local` says that nobody signs in here.
    """
    found: dict[str, Any] = {
        "is_local": settings.VIZPORTAL_AUTH == "local",
        "endpoint": None,
        "endpoints": [],
        "namespace": "",
    }
    try:
        known = endpoints()
        current = endpoint(getattr(request, "endpoint_key", ""))
    except (RunsError, ImproperlyConfigured):
        return found
    return found | {
        "endpoint": current,
        "endpoints": [(each, endpoint_path(each.key, "/runs/")) for each in known],
        "namespace": getattr(request, "kubeflow_namespace", "") or current.namespace(),
    }
