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


def contained(response: ResponseT, policy: str = SANDBOX) -> ResponseT:
    """Returns the answer with what confines it in a browser."""
    response["Content-Security-Policy"] = policy
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, max-age=60"
    return response
