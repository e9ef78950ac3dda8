"""Formats values for people: durations, sizes, numbers, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

# Significant digits of a metric, and the number that distinguishes any two floats.
_DIGITS: Final = 4
_ALL_DIGITS: Final = 17
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def ago(age: timedelta) -> str:
    """Returns an age in words, such as "3 minutes ago"; a negative one as "in 2 hours"."""
    seconds = int(age.total_seconds())
    if abs(seconds) < 5:
        return "just now"
    size, unit = next(pair for pair in _UNITS if abs(seconds) >= pair[0])
    count = round(abs(seconds) / size)
    words = f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def duration(value: timedelta | float | None) -> str:
    """Returns a duration in at most two units (`1m 12s`) from a timedelta or seconds; "" for None."""
    if value is None:
        return ""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes}m {rest:02d}s"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if days else f"{hours}h {minutes:02d}m"


def bytesize(value: float | None) -> str:
    """Returns a size in bytes, kB, MB or GB (steps of 1024); "" for None."""
    if value is None:
        return ""
    size = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"


def metric(value: float, digits: int = _DIGITS) -> str:
    """Returns a metric with `digits` significant digits; a whole number in full."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


def told_apart(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Returns (text, value) for the metrics of a row, with enough digits that different numbers look different.

    Values that are not numbers stay as they are.
    """
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    for digits in range(_DIGITS, _ALL_DIGITS + 1):
        texts = {value: metric(value, digits) for value in numbers}
        if len(set(texts.values())) == len(numbers):
            break
    return [(texts[value] if value in numbers else value, value) for value in values]


def as_json(value: Any) -> str:
    """Returns a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def value_text(value: Any) -> str:
    """Returns the value of a parameter or metadata on one line: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def is_record(value: Any) -> bool:
    """Whether a value is a list or an object, which is displayed on several lines."""
    return isinstance(value, list | dict)


def type_name(artifact_type: str) -> str:
    """Returns an artifact's type without Kubeflow's `system.` prefix."""
    return artifact_type.removeprefix("system.")
