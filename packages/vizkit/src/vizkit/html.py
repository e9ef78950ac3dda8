"""Pieces of a result's page: everything that comes from data goes through here, as text or as JSON, never as markup.

Scripts and style sheets are the files in `static/`, one pair a component. A result refers to them by the address under
which the portal publishes these very files, so a hundred results hold them once; a download has them put in.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

_STATIC = Path(__file__).with_name("static")
# Figures as people write them: with a sign, or "less than" before it.
_NUMBER_LIKE: Final = re.compile(r"[<>≈±+\-\u2212]?\s*[.]?\d")
# So many have a rule in vizkit.css.
_MOST_COLUMNS: Final = 8


def text(value: Any) -> str:
    """Returns a value as text for markup or an attribute; "" for None."""
    return "" if value is None else html.escape(str(value))


def number(value: float | None, digits: int = 4) -> str:
    """Returns a number for people: whole ones with separators, others with so many significant digits; "" for none."""
    if value is None or not math.isfinite(value):
        return ""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def share(value: float) -> str:
    """Returns a share of 0 to 1 as a percentage for people; what is there at all is never shown as 0."""
    percent = 100 * value
    return "< 0.01 %" if 0 < percent < 0.01 else f"{percent:.{2 if percent < 1 else 1}f} %"


def json_text(value: Any) -> str:
    """Returns JSON that may stand inside a script element: nothing in it can end that element. NaN becomes null."""
    if isinstance(value, Json):
        return value
    try:
        return json_of_texts(value)
    except (ValueError, TypeError):
        # To look for what JSON has no word for takes longer than to write it, and most values have none.
        return json_of_texts(_finite(value))


class Json(str):
    """JSON that may stand inside a script element: what `json_text` takes as it is."""

    __slots__ = ()


def json_of_texts(value: Any) -> Json:
    """Does the same for what has no NaN and no infinity in it, and may be too large to be walked through in Python.

    Raises:
        ValueError: it has.
    """
    shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Json(shown.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def facts(values: Mapping[str, Any]) -> str:
    """Returns a list of names and values; those that are None are left out."""
    rows = (f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in values.items() if value is not None)
    return f'<dl class="vk-facts">{"".join(rows)}</dl>'


def table(head: Iterable[Any], rows: Iterable[Iterable[Any]], *, caption: str = "", numbers: bool = True) -> str:
    """Returns a small plain table.

    Args:
        numbers: whether columns after the first are right-aligned, except those of words; False: none is.
    """
    titles = "".join(f'<th scope="col">{text(each)}</th>' for each in head)
    cells = [[number(v) if isinstance(v, float) else v for v in row] for row in rows]
    lines = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    words = f"<caption>{text(caption)}</caption>" if caption else ""
    classes = " ".join(["vk-table", *(["vk-numbers", *_words_columns(cells)] if numbers else [])])
    return (
        f'<div class="vk-scroll" tabindex="0" role="region" aria-label="{text(caption or "Table")}">'
        f'<table class="{classes}">{words}<thead><tr>{titles}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _words_columns(cells: Sequence[Sequence[Any]]) -> list[str]:
    """Returns the classes that name columns of words (vizkit.css): those where most cells begin with no digit."""
    found = []
    for at in range(1, min(_MOST_COLUMNS, max(map(len, cells), default=0))):
        column = [each for row in cells for each in row[at : at + 1] if each not in (None, "")]
        if 2 * sum(isinstance(each, str) and not _NUMBER_LIKE.match(each) for each in column) > len(column):
            found.append(f"vk-words-{at + 1}")
    return found


@lru_cache(maxsize=64)
def asset_url(file_name: str) -> str:
    """Returns the address of one of the files in `static/`, which names its content."""
    path = _STATIC / file_name
    return f"/assets/{hashlib.sha256(path.read_bytes()).hexdigest()}{path.suffix}"


def component(name: str, payload: Any, *, inner: str = "", label: str = "", before: Sequence[str] = ()) -> str:
    """Returns a component: markup that says something without scripts, its data, its style and its script.

    Args:
        name: of the pair `static/<name>.css` and `static/<name>.js`. The script finds `[data-vizkit=<name>]` once the
            page is there, and reads the JSON from the element's own `script[type="application/json"]`.
        payload: what the script gets; None for none.
        inner: markup, already escaped.
        before: names of further scripts, which run before its own.
    """
    labelled = f' role="group" aria-label="{text(label)}"' if label else ""
    held = f'<script type="application/json">{json_text(payload)}</script>' if payload is not None else ""
    return (
        f'<link rel="stylesheet" href="{asset_url("vizkit.css")}">'
        f'<link rel="stylesheet" href="{asset_url(f"{name}.css")}">'
        f'<div class="vk vk-{name}" data-vizkit="{name}"{labelled}>{inner}{held}</div>'
        + "".join(f'<script src="{asset_url(f"{each}.js")}"></script>' for each in (*before, name))
    )


def group(inner: str, *, title: str = "") -> str:
    """Returns tables of words in the look of a component, without a script.

    Args:
        inner: already escaped.
    """
    head = f"<h2>{text(title)}</h2>" if title else ""
    return f'<link rel="stylesheet" href="{asset_url("vizkit.css")}"><div class="vk vk-words">{head}{inner}</div>'


def show(*parts: str) -> None:
    """Displays markup."""
    from IPython.display import HTML, display

    display(HTML("".join(parts)))
