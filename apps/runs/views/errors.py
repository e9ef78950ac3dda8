"""Converts Kubeflow's errors to pages with the cause and a link to try again, never to a 500."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.accounts.caller import caller_of
from apps.runs import exceptions
from apps.runs.gateway import endpoint_ask_again
from apps.ui.parts import is_fragment, is_framed, page_before, part_error

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]
_POLLS: Final = frozenset({"run-live", "run-poll", "step-log"})
_STATUSES: Final[tuple[tuple[type[exceptions.RunsError], HTTPStatus], ...]] = (
    (exceptions.EndpointDownError, HTTPStatus.SERVICE_UNAVAILABLE),
    (exceptions.ForbiddenError, HTTPStatus.FORBIDDEN),
    (exceptions.InvalidRequestError, HTTPStatus.BAD_REQUEST),
)


def handle_kubeflow_errors(view: View) -> View:
    """Decorator: answers a RunsError with a page, a 404 for a missing object, otherwise the cause with *Retry*."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except exceptions.NotFoundError as error:
            if isinstance(error, exceptions.RunGoneError) and _is_page(request, kwargs):
                return _run_gone(request, kwargs["run_id"])
            raise Http404(str(error)) from error
        except exceptions.RunsError as error:
            # Do not reveal whether another namespace has such an object: a request for one object gets a 404.
            if kwargs and isinstance(error, exceptions.ForbiddenError):
                if _is_page(request, kwargs):
                    return _run_gone(request, kwargs["run_id"])
                raise Http404(exceptions.HIDDEN) from error
            return error_response(request, error)

    return answered


def _is_page(request: HttpRequest, named: Mapping[str, Any]) -> bool:
    """Whether a person opened a page of a run, rather than a fragment, a frame or a file of one."""
    is_part = is_fragment(request) or is_framed(request)
    return request.method == "GET" and "run_id" in named and not is_part


def _run_gone(request: HttpRequest, run_id: str) -> HttpResponse:
    """Says that the run does not exist (any more, or for this person), and shows the portal's records about it."""
    return render(request, "runs/run_gone.html", {"run_id": run_id}, status=HTTPStatus.NOT_FOUND)


def error_response(request: HttpRequest, error: exceptions.RunsError) -> HttpResponse:
    """Returns a page with the cause, or a banner if a script requested a fragment."""
    logger.info("%s: %s: %s", request.path, type(error).__name__, error)
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), HTTPStatus.BAD_GATEWAY)
    is_part = bool(getattr(request, "htmx", False)) and request.method == "GET"
    target = getattr(request.htmx, "target", "") if is_part else ""  # type: ignore[attr-defined]
    context = {
        "cause": str(error),
        "is_down": isinstance(error, exceptions.EndpointDownError),
        "retry": request.get_full_path() if request.method == "GET" else page_before(request),
    }
    if is_part and target not in _POLLS:
        # A swapped-in fragment needs a 2xx. A poll leaves the page unchanged and asks again.
        return render(request, "runs/_fault.html", context)
    return part_error(request, str(error), status) or render(request, "runs/fault.html", context, status=status)


@require_POST
def kubeflow_ask_again(request: HttpRequest) -> HttpResponse:
    """Redirects back to a page, which then asks Kubeflow even if it is known not to answer."""
    with contextlib.suppress(exceptions.RunsError):
        endpoint_ask_again(caller_of(request))
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return redirect(address if is_ours else "runs:run_list")
