"""A type's page, and what its parts were given to draw."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any


def drawn(draw: Callable[..., Any], key: str, path: Any, **given: Any) -> str:
    """Returns the page that a type makes of a file; the render has to succeed."""
    outcome, page = draw(key, path, **given)
    assert outcome.state == "succeeded", outcome.message
    return page


def charts(page: str) -> list[Any]:
    """Returns what the scripts of a page's charts get, which is what is drawn."""
    found = re.findall(r'data-vizkit="chart".*?<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [chart for each in found for chart in json.loads(each)["charts"]]


def notes_of(page: str) -> list[str]:
    """Returns what a page says about its result: what was assumed or left out."""
    found = re.findall(r'<ul class="vk-notes".*?</ul>', page, re.DOTALL)
    return [html.unescape(each) for part in found for each in re.findall(r"<li>(.*?)</li>", part, re.DOTALL)]


def text_of(page: str) -> str:
    """Returns a page's text, without its scripts."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
