"""The listener: `GET /` answers `alive`, `POST /` renders the form's request. An ASGI application for uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.conf import settings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from apps.accounts.caller import Caller, CallerKind
from apps.kfp_service import protocol
from apps.kfp_service.ends import End
from apps.kfp_service.waiting import Phases, Watch, visualization_render
from apps.visualizations.exceptions import VisualizationsError

_THREADS: Final = 4
_RETRY_AFTER_S: Final = "5"
BODY_S: Final = 30
# For clients that disconnected, which get no response; nginx uses this number too.
_CLIENT_GONE: Final = 499
_BROWSER_HEADERS: Final = ("origin", "sec-fetch-site")
logger = logging.getLogger(__name__)


class Service:
    """The listener's state: threads, subscription, and the number of waiting requests."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="kfp-service")
        self._watch: Watch | None = None
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Subscribes before the first request, and releases everything after the last."""
        self._watch = Watch(is_kept=True)
        await self._watch.start()
        try:
            yield
        finally:
            await self._watch.stop()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def alive(self, _request: Request) -> Response:
        """Answers Kubeflow's health check, which precedes each of its requests."""
        return PlainTextResponse("alive")

    async def render(self, request: Request) -> Response:
        """Renders the form's request; returns the page, or the reason why there is none."""
        _check_access(request)
        if self._waiting >= settings.VIZPORTAL_KFP_SERVICE_MAX_WAITING:
            message = (
                f"{self._waiting} requests are waiting already, the limit here (VIZPORTAL_KFP_SERVICE_MAX_WAITING)."
            )
            raise HTTPException(503, message, headers={"Retry-After": _RETRY_AFTER_S})
        self._waiting += 1
        try:
            return await self._render(request)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_GONE)
        finally:
            self._waiting -= 1

    async def _render(self, request: Request) -> Response:
        phases = Phases()
        body = await _body(request)
        asked = protocol.form_read(body, request.headers)
        phases.end("parse")
        assert self._watch is not None  # noqa: S101  (uvicorn runs the lifespan first)
        work = visualization_render(_caller(request), asked, run=self._run, watch=self._watch, phases=phases)
        end = await _while_connected(request, work)
        return Response(status_code=_CLIENT_GONE) if end is None else _answer(end, phases)

    async def _run(self, function: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def make_app() -> Starlette:
    """Returns a new application, with its own threads and subscription."""
    service = Service()
    routes = [
        Route("/", service.alive, methods=["GET"]),
        Route("/", service.render, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {
        HTTPException: _http_refusal,
        VisualizationsError: _refusal,
        Exception: _broken,
    }
    return Starlette(routes=routes, lifespan=service.lifespan, exception_handlers=handlers)


def _caller(request: Request) -> Caller:
    """Returns the caller: Kubeflow's API server, admitted by `_check_access`, which names no person."""
    address = request.client.host if request.client else ""
    return Caller(kind=CallerKind.KFP_PROTOCOL, address=address[:64])


def _check_access(request: Request) -> None:
    """Rejects browsers and, if a token is configured, requests without it.

    Raises:
        HTTPException: 403 or 401.
    """
    # Any site's page could post this form to loopback; clients of this protocol are never browsers.
    if any(name in request.headers for name in _BROWSER_HEADERS):
        raise HTTPException(403, "This address does not serve browsers.")
    token = settings.VIZPORTAL_KFP_SERVICE_TOKEN
    given = request.headers.get("authorization", "").encode()
    if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise HTTPException(401, "Send Authorization: Bearer <VIZPORTAL_KFP_SERVICE_TOKEN>.")


async def _body(request: Request) -> bytes:
    """Returns the body.

    Raises:
        HTTPException: 413 if it is too large, 408 if it takes too long.
    """
    body = bytearray()
    try:
        # A client that sends only a byte now and then must not hold a place indefinitely.
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > protocol.MAX_BODY_BYTES:
                    raise HTTPException(413, f"The form is larger than {protocol.MAX_BODY_BYTES:,} bytes.")
    except TimeoutError:
        raise HTTPException(408, f"The form did not arrive within {BODY_S} s.") from None
    return bytes(body)


async def _while_connected(request: Request, work: Coroutine[Any, Any, End]) -> End | None:
    """Returns the result of the work; if the client disconnects first, cancels the work and returns None."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        logger.info("the client went away")
        return None
    finally:
        leaving.cancel()
        if not working.done():
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError, VisualizationsError):
                await working


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answer(end: End, phases: Phases) -> Response:
    headers = {"X-Vizportal-Render": str(end.render_id), "Server-Timing": phases.header()}
    if not end.is_good:
        return PlainTextResponse(end.message, status_code=500 if end.is_our_fault else 400, headers=headers)
    headers["X-Content-Type-Options"] = "nosniff"
    if end.rest is None:
        return Response(end.page, media_type="text/html", headers=headers)
    return StreamingResponse(_pieces(end), media_type="text/html", headers=headers)


def _pieces(end: End) -> Iterator[bytes]:
    yield end.page
    yield from end.rest or ()


async def _http_refusal(_request: Request, error: HTTPException) -> Response:
    return PlainTextResponse(f"{error.detail}\n", status_code=error.status_code, headers=error.headers)


async def _refusal(_request: Request, error: VisualizationsError) -> Response:
    return PlainTextResponse(f"{protocol.refusal_words(error)}\n", status_code=400)


async def _broken(_request: Request, error: Exception) -> Response:
    incident = uuid.uuid4().hex[:8]
    logger.error("kfp service: incident %s", incident, exc_info=error)
    return PlainTextResponse(f"Something went wrong in the portal (incident {incident}).\n", status_code=500)
