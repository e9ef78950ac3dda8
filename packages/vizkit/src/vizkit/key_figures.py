"""Key figures: the numbers that a render leaves next to its page, to be listed, compared and monitored."""

from __future__ import annotations

import html
import math
from numbers import Real
from typing import Any, Final, Literal

# In the notebook a figure is an output of this type, so every kernel and every language can leave one.
MIME: Final = "application/vnd.vizportal.figure+json"
MAX_NAME_CHARS: Final = 100
MAX_UNIT_CHARS: Final = 20


def figure(name: str, value: Any, unit: str = "", better: Literal["", "higher", "lower", "none"] = "") -> None:
    """Adds a key figure to the result. Repeating a name replaces its value.

    A value that is NaN or infinite is not stored, and the page says so. A result has at most 64 figures.

    Args:
        name: 1 to 100 characters, such as `auc`.
        value: a Python or NumPy number; None adds no figure.
        unit: at most 20 characters, such as `s`; "" for none, or for the one in the type's header.
        better: which direction is better; "" for the one in the type's header, else `none`.

    Raises:
        ValueError: name, unit or direction break these rules, or the value is not a number; the text is for people.
    """
    if value is None:
        return
    checked_name, checked_unit = _text(name, 1, MAX_NAME_CHARS, "name"), _text(unit, 0, MAX_UNIT_CHARS, "unit")
    if better not in {"", "higher", "lower", "none"}:
        raise ValueError(f'A key figure\'s "better" is higher, lower or none, not {better!r}.')
    number = _number(checked_name, value)
    if not math.isfinite(number):
        _show_note(f'The key figure "{checked_name}" is {number} and was not stored.')
        return
    found = {"name": checked_name, "value": number, "unit": checked_unit, "better": better}
    _display({MIME: found})


def _text(value: object, least: int, most: int, called: str) -> str:
    if isinstance(value, str) and least <= len(value.strip()) <= most and value.isprintable():
        return value.strip()
    raise ValueError(f"A key figure's {called} is {least} to {most} printable characters, not {str(value)[:120]!r}.")


def _number(name: str, value: Any) -> float:
    # NumPy's booleans and arrays convert to float as well, but are not measurements.
    if isinstance(value, bool) or (not isinstance(value, Real) and not hasattr(value, "__float__")):
        raise ValueError(f'The key figure "{name}" must be a number, not {type(value).__name__}.')
    if getattr(value, "shape", ()) != () or type(value).__name__ in {"bool", "bool_"}:
        raise ValueError(f'The key figure "{name}" must be one number, not {type(value).__name__}.')
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        raise ValueError(f'The key figure "{name}" must be a number, not {type(value).__name__}.') from None


def _show_note(sentence: str) -> None:
    _display({"text/plain": sentence, "text/html": f'<p class="quiet">{html.escape(sentence)}</p>'})


def _display(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(bundle, raw=True)
