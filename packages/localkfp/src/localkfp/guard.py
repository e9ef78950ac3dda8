"""Access control. The server runs the code it is given, so by default only programs on this machine may call it.

A web page that the user visits can send requests to loopback too: a multipart upload needs no permission from the
browser, and a name that resolves to 127.0.0.1 circumvents the same-origin rule. So requests that a browser marks as
cross-site are refused, and so are those for host names other than loopback's.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from localkfp.errors import ApiError

_OTHER_SITES: Final = frozenset({"cross-site", "same-site"})


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address, without a port, refers to this machine only."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware that refuses requests which must not reach the API.

    Attributes:
        app: the protected application.
        token: required as a bearer token of every request; "" requires none and serves loopback names only.
    """

    app: ASGIApp
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 401 or 403."""
        # The page that redirects to the portal contains nothing, and links on other sites may open it.
        if scope["type"] == "http" and (scope["method"], scope["path"]) != ("GET", "/"):
            error = self._refusal(Headers(scope=scope))
            if error is not None:
                await JSONResponse(error.body(), status_code=error.status)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refusal(self, headers: Headers) -> ApiError | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if headers.get("sec-fetch-site", "") in _OTHER_SITES or (origin is not None and not _is_of(origin, host)):
            return ApiError(403, "Requests from other web sites are refused.")
        if self.token:
            given = headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
                return ApiError(401, "This server requires its bearer token.")
        elif not is_loopback(_name(host)):
            return ApiError(403, f"Host {host!r} is not this machine's loopback name.")
        return None


def _is_of(origin: str, host: str) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
