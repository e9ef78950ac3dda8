"""Advice for a render that ended, beyond the message of its reason."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings

from apps.visualizations.models import Render
from apps.visualizations.states import Reason

NO_NETWORK: Final = (
    "Renders have no network, so that no code can carry data away. Give the code what it needs as its source, or have "
    "a step of the pipeline fetch it."
)
# How the sandbox's refusal appears: a name that does not resolve, or a denied connection. A denied file has its name in
# the message.
_UNREACHED: Final = re.compile(
    r"name resolution|Name or service not known|nodename nor servname|getaddrinfo|NewConnectionError"
    r"|Max retries exceeded|ConnectError|ConnectTimeout|ClientConnector|Network is unreachable|urlopen error"
)
_DENIED: Final = re.compile(r"PermissionError: \[Errno (?:1|13)\] [\w ]+\Z")
_CONNECTS: Final = re.compile(r"\b(?:socket|connect|urlopen|create_connection)\b")


def advice(render: Render) -> str:
    """Returns advice about how a render ended; "" if its message is enough."""
    if may_run_longer(render):
        return "Ask for less data, or allow more time."
    if render.reason == Reason.USER_ERROR and _wanted_network(render):
        return NO_NETWORK
    reason = Reason.by_value(render.reason)
    return reason.advice if reason else ""


def may_run_longer(render: Render) -> bool:
    """Whether a render stopped at its own time limit, below the server's."""
    return render.reason == Reason.TIMED_OUT and render.timeout_s < settings.KERNEL_TIMEOUT


def _wanted_network(render: Render) -> bool:
    is_denied = _DENIED.search(render.message) and _CONNECTS.search(render.traceback)
    return bool(_UNREACHED.search(render.message) or is_denied)
