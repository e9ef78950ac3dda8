"""How states are drawn: the icon of each, by the value that entities and the API use."""

from __future__ import annotations

from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.ui.icons import icon

STATE_ICONS: Final = {
    "queued": "clock",
    "pending": "clock",
    "running": "loader-circle",
    "succeeded": "circle-check",
    "cached": "database",
    "failed": "circle-x",
    "timed_out": "hourglass",
    "cancelled": "ban",
    "skipped": "skip-forward",
    "lost": "unlink",
    "unknown": "circle-help",
}


def state_icon(state: Any) -> str:
    """Returns the name of a state's icon."""
    return STATE_ICONS.get(str(state), STATE_ICONS["unknown"])


def state_badge(state: Any) -> SafeString:
    """Draws a state by shape, colour and word; takes any value, `None` and words it does not know included."""
    value = str(state or "unknown")
    word = value.replace("_", " ").capitalize()
    return format_html('<span class="state state-{}">{}{}</span>', value, icon(state_icon(value)), word)
