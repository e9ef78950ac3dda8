"""Draw a type's page, and read the chart specifications in it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any


def drawn(draw: Callable[..., Any], key: str, path: Any, **given: Any) -> str:
    """Returns the page that a type makes of a file. The render must succeed."""
    outcome, page = draw(key, path, **given)
    assert outcome.state == "succeeded", outcome.message
    return page


def specs(page: str) -> list[Any]:
    """Returns the Vega-Lite specifications of a page."""
    held = re.findall(r'<script type="application/json" class="vizkit-spec">(.*?)</script>', page, re.DOTALL)
    return [json.loads(each) for each in held]


def curves(spec: Any) -> dict[str, dict[str, list[Any]]]:
    """Returns a specification's points by curve: each field as a list, in curve order."""
    found: dict[str, dict[str, list[Any]]] = {}
    for row in spec["data"]["values"]:
        of = found.setdefault(row["series"], {})
        for name, value in row.items():
            if name != "series":
                of.setdefault(name, []).append(value)
    return found


def marks(spec: Any) -> list[tuple[Any, Any]]:
    """Returns the marked points of a specification."""
    named = [layer["data"] for layer in spec["layer"] if layer.get("data", {}).get("name") == "marks"]
    return [(each["x"], each["y"]) for data in named for each in data["values"]]


def notes_of(page: str) -> list[str]:
    """Returns the notes of a page about what was assumed or left out."""
    found = re.findall(r'<ul class="vk-notes".*?</ul>', page, re.DOTALL)
    return [html.unescape(each) for part in found for each in re.findall(r"<li>(.*?)</li>", part, re.DOTALL)]


def text_of(page: str) -> str:
    """Returns a page's text, without its scripts."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
