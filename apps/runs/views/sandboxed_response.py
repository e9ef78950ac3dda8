"""Responses with untrusted content: headers that restrict what a browser may do with it."""

from __future__ import annotations

from typing import Final, TypeVar

from django.http.response import HttpResponseBase

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
# An artifact's content is treated as hostile: this policy lets it draw, and nothing else. It can reach neither the
# portal (opaque origin) nor the network.
SANDBOX: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; worker-src blob:; "
    "connect-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'"
)


_FEATURES: Final = (
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
NO_FEATURES: Final = ", ".join(f"{name}=()" for name in _FEATURES)


def sandboxed_response(response: ResponseT, policy: str = SANDBOX) -> ResponseT:
    """Returns the response with the headers of a sandbox."""
    set_sandbox_headers(response, policy)
    response["Cache-Control"] = "private, max-age=60"
    return response


def set_sandbox_headers(response: HttpResponseBase, policy: str, *, reachable: str = "") -> None:
    """Sets the headers that confine a response in a browser.

    A content security policy blocks requests. It does not block name lookups and connections for a navigation, a
    download, `<link rel=dns-prefetch>` and WebRTC, and a looked-up name can carry data. Only a connection allow-list
    blocks these; browsers without support for it know the other headers.

    Args:
        response: the response to change.
        policy: the content security policy.
        reachable: the addresses it may load from, as a URL pattern; "" for none.
    """
    response["Content-Security-Policy"] = policy
    response["Connection-Allowlist"] = f'("{reachable}")' if reachable else "()"
    response["Permissions-Policy"] = NO_FEATURES
    response["X-DNS-Prefetch-Control"] = "off"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
