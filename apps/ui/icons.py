"""The vendored icons."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_ICONS: Final = Path(__file__).resolve().parents[2] / "static" / "vendor" / "icons.json"


@functools.cache
def _icons() -> dict[str, str]:
    icons: dict[str, str] = json.loads(_ICONS.read_text(encoding="utf-8"))
    return icons


def icon(name: str, label: str = "") -> SafeString:
    """Returns an icon of the vendored set as SVG.

    Args:
        name: its Lucide name, such as `circle-check`.
        label: text for screen readers; "" hides the icon from them, for icons beside words.

    Raises:
        KeyError: the set has no such icon (frontend/build.mjs lists them).
    """
    shape = mark_safe(_icons()[name])  # noqa: S308  (our own vendored file)
    if label:
        return format_html('<svg class="icon" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>', label, shape)
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', shape)
