"""Answers that hold somebody else's bytes: what a browser may do with them."""

from __future__ import annotations

from typing import Final, TypeVar

from django.http.response import HttpResponseBase

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
# What an artifact holds is hostile until proved otherwise: in this policy it may draw, and nothing else. It can reach
# neither the portal (opaque origin), nor the network.
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


def contained(response: ResponseT, policy: str = SANDBOX) -> ResponseT:
    """Returns the answer with what confines it in a browser."""
    confine(response, policy)
    response["Cache-Control"] = "private, max-age=60"
    return response


def confine(response: HttpResponseBase, policy: str, *, reachable: str = "") -> None:
    """Sets what confines an answer in a browser.

    A content security policy stops requests. Names are looked up and connections opened for a navigation, a download,
    `<link rel=dns-prefetch>` and WebRTC all the same, and a name that is looked up can carry data. Only a connection
    allow-list stops these; browsers without it know the rest.

    Args:
        reachable: the addresses it may load from, as a URL pattern; "" for none.
    """
    response["Content-Security-Policy"] = policy
    response["Connection-Allowlist"] = f'("{reachable}")' if reachable else "()"
    response["Permissions-Policy"] = NO_FEATURES
    response["X-DNS-Prefetch-Control"] = "off"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
