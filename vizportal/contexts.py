"""The template context of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.promotion.selectors import review_count
from apps.queues.selectors import queue_count
from apps.runs.exceptions import RunsError
from apps.runs.gateway.endpoints import endpoint, endpoints
from apps.runs.middleware import endpoint_path

if TYPE_CHECKING:
    from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Returns the variables that base.html uses.

    `may_create` says whether the person may create and change things. `endpoint` is the page's (None if no Kubeflow is
    configured), `endpoints` has all of them with the URLs of their runs, `namespace` is the chosen one, and `is_local`
    is true if nobody signs in. `queue_count` (renders that run or wait) and `review_count` (proposals that the person
    may decide on) are for the menu only.
    """
    found: dict[str, Any] = {
        "is_local": settings.VIZPORTAL_AUTH == "local",
        "endpoint": None,
        "endpoints": [],
        "namespace": "",
        "queue_count": SimpleLazyObject(queue_count),
        "review_count": SimpleLazyObject(lambda: review_count(caller_of(request))),
        "may_create": hasattr(request, "user") and caller_of(request).may(Right.CREATE),
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
