"""Determines the endpoint and namespace of a request, so that every page of every endpoint has its own URL.

`/e/<key>/runs/` is the page `/runs/` of the endpoint `<key>`; without the prefix it is the default endpoint's. All URLs
generated while the request is answered get the same prefix, so templates need not know about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, set_script_prefix

from apps.runs.exceptions import RunsError
from apps.runs.gateway import endpoints

_PREFIX: Final = re.compile(r"/e/([a-z0-9][a-z0-9-]{0,49})(/.*)\Z", re.DOTALL)
_LONGEST_NAMESPACE: Final = 63


class EndpointMiddleware:
    """Removes the endpoint from the path, and remembers the namespace chosen for it.

    Sets `request.endpoint_key` ("" for the default endpoint) and `request.kubeflow_namespace` ("" if none was chosen).
    `?namespace=` chooses one; the session remembers it for pages whose URL has none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers the request below the endpoint's prefix."""
        with _endpoint_of(request):
            _remember_namespace(request)
            return self.get_response(request)


def path_within(path: str) -> str:
    """Returns a URL's path without the endpoint's prefix."""
    match = _PREFIX.match(path)
    return match[2] if match else path


def endpoint_path(key: str, path: str) -> str:
    """Returns the URL of a page of one endpoint, whichever endpoint the request belongs to.

    Args:
        key: the endpoint's; "" and the default endpoint's key give pages without a prefix.
        path: of the page, such as `/runs/`.
    """
    known = endpoints.endpoints()
    is_default = not key or not known or key == known[0].key
    base = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    return base + path if is_default else f"{base}/e/{key}{path}"


@contextmanager
def _endpoint_of(request: HttpRequest) -> Iterator[None]:
    request.endpoint_key = ""  # type: ignore[attr-defined]
    request.kubeflow_namespace = ""  # type: ignore[attr-defined]
    with _prefix_of(request):
        yield


@contextmanager
def _prefix_of(request: HttpRequest) -> Iterator[None]:
    match = _PREFIX.match(request.path_info)
    if match is None or match[1] not in _known():
        yield
        return
    request.endpoint_key, request.path_info = match[1], match[2]  # type: ignore[attr-defined]
    before = get_script_prefix()
    set_script_prefix(f"{before}e/{match[1]}/")
    try:
        yield
    finally:
        set_script_prefix(before)


def _known() -> set[str]:
    try:
        return {each.key for each in endpoints.endpoints()}
    except ImproperlyConfigured:
        return set()


def _remember_namespace(request: HttpRequest) -> None:
    """Reads the namespace from the URL, else from the session; does not remember one that is not offered.

    A name that is too long is kept too long, so that it is refused: cut to the maximum length it could be another
    namespace.
    """
    wanted = request.GET.get("namespace", "")[: _LONGEST_NAMESPACE + 1]
    session = getattr(request, "session", None)
    try:
        config = endpoints.endpoint(request.endpoint_key)  # type: ignore[attr-defined]
    except (RunsError, ImproperlyConfigured):
        return
    if not config.is_multi_user or session is None:
        return
    slot = f"namespace:{config.key}"
    kept = session.get(slot, "")
    # The gateway reports a namespace that is not offered.
    request.kubeflow_namespace = wanted or (kept if _is_offered(config, kept) else "")  # type: ignore[attr-defined]
    if wanted and wanted != kept and _is_offered(config, wanted):
        session[slot] = wanted


def _is_offered(config: endpoints.EndpointConfig, namespace: str) -> bool:
    return namespace in config.namespaces or endpoints.ANY_NAMESPACE in config.namespaces
