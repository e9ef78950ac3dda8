"""Key figures (`vizkit.figure`): taken from a notebook's outputs in the child, validated again on the trusted side."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

_MIME: Final = "application/vnd.vizportal.figure+json"
MAX_FIGURES: Final = 64
_MAX_NAME_CHARS: Final = 100
_MAX_UNIT_CHARS: Final = 20
_BETTER: Final = ("", "higher", "lower", "none")


def take_figures(notebook: Any) -> list[dict[str, Any]]:
    """Returns the figures in the order in which their names first occur; the last value of a name wins.

    Only the first 64 are returned; the page says if there are more.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    found = check_figures((output.get("data") or {}).get(_MIME) for output in outputs)
    if len(found) > MAX_FIGURES:
        _say_left_out(notebook, len(found))
    return found[:MAX_FIGURES]


def check_figures(given: Iterable[object]) -> list[dict[str, Any]]:
    """Returns the well-formed figures, one per name, and drops everything else.

    A figure has a name (1 to 100 printable characters), a finite value, a unit (up to 20 characters) and the direction
    that is better (higher, lower, none, or "" if unstated).
    """
    found: dict[str, dict[str, Any]] = {}
    for each in given:
        if not isinstance(each, dict):
            continue
        name, value, unit, better = (each.get(key, "") for key in ("name", "value", "unit", "better"))
        is_named = _is_line(name, 1, _MAX_NAME_CHARS) and _is_line(unit, 0, _MAX_UNIT_CHARS)
        if is_named and better in _BETTER and _is_number(value):
            found[name] = {"name": name, "value": float(value), "unit": unit, "better": better}
    return list(found.values())


def _is_line(value: object, least: int, most: int) -> bool:
    return isinstance(value, str) and least <= len(value) <= most and value.isprintable()


def _is_number(value: object) -> bool:
    # JSON integers are unbounded, and the comparison is false for NaN.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max  # type: ignore[arg-type]


def _say_left_out(notebook: Any, count: int) -> None:
    from nbformat.v4 import new_output  # noqa: PLC0415  (the trusted side imports this module too)

    sentence = f"The code left {count:,} key figures. The first {MAX_FIGURES} are stored."
    data = {"text/plain": sentence, "text/html": f'<p class="quiet">{sentence}</p>'}
    notebook.cells[-1].outputs.append(new_output("display_data", data=data))
