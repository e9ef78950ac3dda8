"""A type's page, and what its parts were given to draw."""

from __future__ import annotations

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


def text_of(page: str) -> str:
    """Returns a page's text, without its scripts."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
