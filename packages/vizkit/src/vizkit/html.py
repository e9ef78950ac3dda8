"""Parts of a result's page. All values from data pass through here, as text or as JSON, never as markup.

Scripts and style sheets are the files in `static/`, one pair per component. A result refers to them by the URL at which
the portal serves these same files, so a hundred results share one copy; they are inlined into a download.
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
# Numbers as people write them: optionally with a sign or "less than".
_NUMBER_LIKE: Final = re.compile(r"[<>≈±+\-\u2212]?\s*[.]?\d")
# The number of columns that have a rule in vizkit.css.
_MOST_COLUMNS: Final = 8


def text(value: Any) -> str:
    """Escapes a value for markup or an attribute; "" for None."""
    return "" if value is None else html.escape(str(value))


def number(value: float | None, digits: int = 4) -> str:
    """Formats a number for people: integers with separators, others with `digits` significant digits; "" for None."""
    if value is None or not math.isfinite(value):
        return ""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def share(value: float) -> str:
    """Formats a share of 0 to 1 as a percentage for people; a positive share is never shown as 0."""
    percent = 100 * value
    return "< 0.01 %" if 0 < percent < 0.01 else f"{percent:.{2 if percent < 1 else 1}f} %"


def json_text(value: Any) -> str:
    """Returns JSON that is safe in a script element, because nothing in it can end the element. NaN becomes null."""
    if isinstance(value, Json):
        return value
    try:
        return json_of_texts(value)
    except (ValueError, TypeError):
        # Searching for values without a JSON form takes longer than writing JSON, and most data contain none.
        return json_of_texts(_finite(value))


class Json(str):
    """JSON that is safe inside a script element; `json_text` returns it unchanged."""

    __slots__ = ()


def json_of_texts(value: Any) -> Json:
    """Like `json_text`, for values without NaN and infinity, which may be too large to be traversed in Python.

    Raises:
        ValueError: the value contains one of them.
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
    """Returns a list of names and values, without those that are None."""
    rows = (f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in values.items() if value is not None)
    return f'<dl class="vk-facts">{"".join(rows)}</dl>'


def table(head: Iterable[Any], rows: Iterable[Iterable[Any]], *, caption: str = "", numbers: bool = True) -> str:
    """Returns a small plain table.

    Args:
        head: the titles of the columns.
        rows: their cells.
        caption: of the table.
        numbers: right-align the columns after the first, except those with words; False aligns none.
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
    """Returns the classes that mark columns of words (vizkit.css): most of their cells do not begin with a digit."""
    found = []
    for at in range(1, min(_MOST_COLUMNS, max(map(len, cells), default=0))):
        column = [each for row in cells for each in row[at : at + 1] if each not in (None, "")]
        if 2 * sum(isinstance(each, str) and not _NUMBER_LIKE.match(each) for each in column) > len(column):
            found.append(f"vk-words-{at + 1}")
    return found


@lru_cache(maxsize=64)
def asset_url(file_name: str) -> str:
    """Returns the URL of a file in `static/`, which identifies its content."""
    path = _STATIC / file_name
    return f"/assets/{hashlib.sha256(path.read_bytes()).hexdigest()}{path.suffix}"


def component(name: str, payload: Any, *, inner: str = "", label: str = "", before: Sequence[str] = ()) -> str:
    """Returns a component: markup that is meaningful without scripts, its data, its style and its script.

    Args:
        name: of the pair `static/<name>.css` and `static/<name>.js`. The script finds `[data-vizkit=<name>]` once the
            page is loaded, and reads the JSON from the element's own `script[type="application/json"]`.
        payload: the data for the script; None for none.
        inner: markup, already escaped.
        label: the accessible name; "" for none.
        before: names of other scripts, which run before its own.
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
    """Returns tables of words in the style of a component, without a script.

    Args:
        inner: already escaped.
        title: a heading; "" for none.
    """
    head = f"<h2>{text(title)}</h2>" if title else ""
    return f'<link rel="stylesheet" href="{asset_url("vizkit.css")}"><div class="vk vk-words">{head}{inner}</div>'


def show(*parts: str) -> None:
    """Displays markup."""
    from IPython.display import HTML, display

    display(HTML("".join(parts)))
