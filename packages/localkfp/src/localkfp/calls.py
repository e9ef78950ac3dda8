"""Requests as the API's functions see them, and their connection to Starlette.

The functions are plain and blocking (SQLite, files), so each runs on a worker thread.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localkfp import shapes
from localkfp.errors import ApiError, bad_request
from localkfp.places import Places
from localkfp.scheduler import Scheduler
from localkfp.schedules import Schedules
from localkfp.store import Store

LARGEST_BODY_BYTES: Final = 16 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        store: the server's.
        places: the server's.
        scheduler: the server's.
        schedules: the server's.
        path: the parameters in the path.
        query: the last value of each name in the query.
        body: the whole body.
        content_type: of the body.
    """

    store: Store
    places: Places
    scheduler: Scheduler
    schedules: Schedules
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    content_type: str

    def json(self) -> dict[str, Any]:
        """Parses the body as a JSON object.

        Raises:
            ApiError: 400, it is not one.
        """
        try:
            found = json.loads(self.body or b"{}")
        except ValueError as error:
            raise bad_request(f"The body is not JSON: {error}") from error
        except RecursionError:
            raise bad_request("The body is nested too deeply.") from None
        if not isinstance(found, dict):
            raise bad_request("The body is not a JSON object.")
        return found


Handler = Callable[[Call], Response | dict[str, Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(handler: Handler) -> Endpoint:
    """Returns the Starlette endpoint of an API function."""

    async def answer(request: Request) -> Response:
        try:
            call = await _call(request)
            answered = await run_in_threadpool(handler, call)
        except ApiError as error:
            return JSONResponse(error.body(), status_code=error.status)
        return answered if isinstance(answered, Response) else JSONResponse(shapes.without_empty(answered))

    return answer


async def _call(request: Request) -> Call:
    state = request.app.state
    return Call(
        store=state.store,
        places=state.places,
        scheduler=state.scheduler,
        schedules=state.schedules,
        path=request.path_params,
        query=dict(request.query_params),
        body=await _read(request),
        content_type=request.headers.get("content-type", ""),
    )


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            raise ApiError(413, f"The body is larger than {LARGEST_BODY_BYTES // 1024**2} MB.")
    return bytes(body)


def text_of(body: Mapping[str, Any], name: str) -> str:
    """Returns a text field of a JSON body; "" if it is missing or null.

    Raises:
        ApiError: 400, it is not text.
    """
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad_request(f"{name} must be a string.")
    return value or ""
