"""Kubeflow's JSON form of the protocol, on the portal: `POST /apis/v1beta1/visualizations/{namespace}`.

Authentication is that of the REST API; responses and errors have the format of Kubeflow's gRPC gateway.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.caller import Caller, CallerKind, caller_set
from apps.kfp_service import protocol
from apps.kfp_service.ends import End
from apps.kfp_service.waiting import Watch, visualization_render
from apps.runs.exceptions import RunsError
from apps.runs.gateway import endpoints
from apps.visualizations import exceptions
from apps.visualizations.api.auth import BrowserAuth, TokenAuth
from apps.visualizations.api.bodies import StrictParser
from apps.visualizations.api.errors import MAX_BODY_BYTES, ApiError
from apps.visualizations.states import RenderState

# gRPC's codes for HTTP's: https://grpc.io/docs/guides/status-codes/
_GRPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 409: 10, 413: 3, 429: 8, 500: 13, 503: 14, 504: 4}
_STATUS: Final = {
    exceptions.TooManyQueuedError: 429,
    exceptions.CustomOffError: 403,
    exceptions.NotAllowedError: 403,
    exceptions.NotFoundError: 404,
}
# Fields of Kubeflow's message; `html` and `error` belong to responses, which a client may send back.
_FIELDS: Final = frozenset({"type", "source", "arguments", "html", "error"})
logger = logging.getLogger(__name__)
_watches: dict[Any, Watch] = {}


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _error(status: int, message: str) -> JsonResponse:
    body = {"error": message, "code": _GRPC_CODES.get(status, 2), "message": message, "details": []}
    return JsonResponse(body, status=status)


# The authentication below identifies the caller; scripts send no CSRF token, and `BrowserAuth` checks the origin.
@csrf_exempt
@login_not_required
async def visualization_create(request: HttpRequest, namespace: str = "") -> HttpResponse:
    """Renders, and responds with `type`, `source`, `arguments` and `html`.

    Args:
        namespace: the namespace that the saved result belongs to, on a multi-user Kubeflow; ignored otherwise.
    """
    if request.method != "POST":
        answer = _error(405, "Use POST.")
        answer["Allow"] = "POST"
        return answer
    try:
        caller = await sync_to_async(_caller)(request)
        body = _body(request)
        asked = _asked(body, request)
        end = await visualization_render(caller, asked, run=_run, watch=_watch(), place=_place(namespace))
        return await sync_to_async(_answer)(body, end)
    except _RefusedError as error:
        return _error(error.status, str(error))
    except PermissionDenied as error:
        return _error(403, str(error))
    except exceptions.VisualizationsError as error:
        return _error(_STATUS.get(type(error), 400), protocol.refusal_words(error))
    except Exception as error:  # noqa: BLE001  (the edge of the request: a script gets JSON whatever happens)
        return _broken(error)


def _caller(request: HttpRequest) -> Caller:
    try:
        return caller_set(request, _signed_in(request), CallerKind.KFP_PROTOCOL)
    finally:
        # The response may take minutes.
        close_old_connections()


def _signed_in(request: HttpRequest) -> Any:
    try:
        user = TokenAuth()(request) or BrowserAuth()(request)
    except ApiError as error:
        raise _RefusedError(error.status, str(error)) from error
    if user is None:
        raise _RefusedError(401, "Sign in, or send a token: Authorization: Bearer <token>.")
    return user


def _place(namespace: str) -> tuple[str, str]:
    """Returns the endpoint and namespace that the result belongs to; ("", "") on a single-user Kubeflow.

    Raises:
        NotFoundError: on a multi-user Kubeflow, the namespace is missing or not offered.
    """
    config = next(iter(endpoints.endpoints()), None)
    if config is None or not config.is_multi_user:
        return "", ""
    try:
        # An empty namespace must not select the first one: the client has to name it.
        return config.key, config.namespace(namespace or " ")
    except RunsError as error:
        raise exceptions.NotFoundError("Name the namespace that the visualization belongs to.") from error


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        return StrictParser().parse_body(request)
    except RequestDataTooBig:
        raise _RefusedError(413, f"The body is larger than {MAX_BODY_BYTES:,} bytes.") from None
    except ValueError as error:
        raise _RefusedError(400, str(error)) from None


def _asked(body: dict[str, Any], request: HttpRequest) -> protocol.KubeflowRequest:
    if unknown := sorted(body.keys() - _FIELDS):
        raise _RefusedError(400, f"Unknown field {unknown[0][:40]!r}: a visualization has type, source and arguments.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    # Protobuf omits zero values: without a type it is the first, ROC_CURVE.
    return protocol.request_make(
        body.get("type", 0),
        body.get("source") or "",
        body.get("arguments") or "",
        timeout_s=protocol.timeout_read(headers),
    )


async def _run(function: Callable[[], Any]) -> Any:
    return await sync_to_async(function)()


def _watch() -> Watch:
    """Returns this event loop's subscription; a serving process has one loop, and so one subscription."""
    loop = asyncio.get_running_loop()
    for other in [each for each in _watches if each.is_closed()]:
        del _watches[other]
    return _watches.setdefault(loop, Watch())


def _answer(body: dict[str, Any], end: End) -> HttpResponse:
    if not end.is_good:
        status = 500 if end.is_our_fault else 504 if end.state == RenderState.TIMED_OUT else 400
        return _error(status, end.message)
    html = b"".join([end.page, *(end.rest or ())]).decode("utf-8", "replace")
    kind = body.get("type", "ROC_CURVE")
    return JsonResponse(
        {"type": kind, "source": body.get("source") or "", "arguments": body.get("arguments") or "", "html": html}
    )


def _broken(error: Exception) -> JsonResponse:
    incident = uuid.uuid4().hex[:8]
    logger.error("kfp service: incident %s", incident, exc_info=error)
    return _error(500, f"Something went wrong in the portal (incident {incident}).")


urlpatterns = [re_path(r"^apis/v[12]beta1/visualizations/(?P<namespace>[^/]*)$", visualization_create)]
