"""Axes of a chart: where the ticks stand (1-2-5, decades, calendar), what they say, and where a value falls."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

Kind = Literal["number", "percent", "date"]

_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAYS: Final = (1, 2, 7, 14)
_DAY_S: Final = 86_400
_MONTHS: Final = (1, 3, 6)
_MONTH_S: Final = 30.4 * _DAY_S
_SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis should be.

    Attributes:
        kind: date for seconds since 1970 (shown in UTC), percent for shares of one.
        low: the least value; None: by the data, rounded to a tick.
        high: the greatest value; None likewise.
    """

    title: str = ""
    kind: Kind = "number"
    is_log: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis that knows its range.

    Attributes:
        ticks: value and label, from low to high.
    """

    title: str
    kind: Kind
    is_log: bool
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float | None:
        """Returns where a value falls, 0 at the low end and 1 at the high one; None where it has no place."""
        if not math.isfinite(value) or (self.is_log and value <= 0):
            return None
        low, high, at = (math.log10(each) if self.is_log else each for each in (self.low, self.high, value))
        return (at - low) / (high - low)

    def payload(self) -> dict[str, Any]:
        """Returns what the script needs."""
        return {
            "title": self.title,
            "kind": self.kind,
            "log": self.is_log,
            "low": self.low,
            "high": self.high,
            "ticks": [list(each) for each in self.ticks],
        }


def scale(axis: Axis, values: Iterable[float], *, count: int = 5) -> Scale:
    """Returns the scale that holds all finite values, with about so many ticks. No values: from 0 to 1."""
    found = [float(each) for each in values if math.isfinite(each) and (not axis.is_log or each > 0)]
    low = axis.low if axis.low is not None else min(found, default=0.1 if axis.is_log else 0.0)
    high = axis.high if axis.high is not None else max(found, default=1.0)
    low, high = _apart(low, high, is_log=axis.is_log)
    if axis.is_log:
        low, high, ticks = _log_ticks(low, high, count)
    elif axis.kind == "date":
        ticks = _date_ticks(low, high, count)
    else:
        low, high, ticks = _linear_ticks(axis, low, high, count)
    return Scale(title=axis.title, kind=axis.kind, is_log=axis.is_log, low=low, high=high, ticks=tuple(ticks))


def _apart(low: float, high: float, *, is_log: bool) -> tuple[float, float]:
    # A range of nothing, or one that rounding swallows, cannot be divided.
    if high - low > max(abs(low), abs(high)) * 1e-12 and high - low > 1e-300:
        return low, high
    if is_log:
        return low / 2, low * 2
    margin = abs(low) * 0.1 or 0.5
    return low - margin, low + margin


def _linear_ticks(axis: Axis, low: float, high: float, count: int) -> tuple[float, float, list[tuple[float, str]]]:
    step = tick_step(high / count - low / count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    bottom = low if axis.low is not None else first * step
    top = high if axis.high is not None else last * step
    span = top - bottom
    values = [n * step for n in range(first, last + 1)]
    # Multiples of a step that is no power of two come out as 0.30000000000000004.
    kept = [0.0 if abs(v) < step / 1e6 else v for v in values if bottom - span * 1e-9 <= v <= top + span * 1e-9]
    return bottom, top, [(v, tick_label(v, step, axis.kind)) for v in kept]


def tick_step(rough: float) -> float:
    """Returns the least of 1, 2, 5 times a power of ten that is no less than `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((m * power for m in (1, 2, 5) if m * power >= rough * (1 - 1e-9)), 10 * power)


def tick_label(value: float, step: float, kind: Kind = "number") -> str:
    """Returns a tick's text, with as many decimals as tell it from the next tick."""
    if kind == "percent":
        return f"{value * 100:.{_decimals(step * 100)}f}%"
    largest = max(abs(value), step)
    if largest >= 1e15 or step < 1e-5:
        return f"{value:.6g}"
    for size, suffix in _SUFFIXES:
        if abs(value) >= size:
            return f"{value / size:,.{_decimals(step / size)}f}{suffix}"
    return f"{value:,.{_decimals(step)}f}"


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _log_ticks(low: float, high: float, count: int) -> tuple[float, float, list[tuple[float, str]]]:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    decades = last - first
    factors = (1,) if decades > 2 else (1, 2, 5)
    stride = max(1, math.ceil(decades / max(1, count)))
    values = [m * 10.0**n for n in range(first, last + 1, stride) for m in factors]
    kept = [v for v in values if low * 0.999 <= v <= high * 1.001]
    if len(kept) < 2:
        # Less than a step of 1-2-5 apart: ordinary ticks, placed on the log scale.
        return low, high, _linear_ticks(Axis(low=low, high=high), low, high, count)[2]
    return min(low, kept[0]), max(high, kept[-1]), [(v, _log_label(v)) for v in kept]


def _log_label(value: float) -> str:
    return f"{value:,.10g}" if 1e-4 <= value < 1e6 else f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")


def _date_ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    # What a datetime can hold: years 1 to 9999, with a margin.
    low, high = max(low, -6.2e10), min(high, 2.5e11)
    rough = (high - low) / count
    if rough > _SECONDS[-1] and rough > _DAYS[-1] * _DAY_S:
        return _month_ticks(low, high, rough)
    steps = (*_SECONDS, *(days * _DAY_S for days in _DAYS))
    step = next(each for each in steps if each >= min(rough, steps[-1]))
    if rough < 1:
        return [
            (v, f"{v - math.floor(low):.3g} s") for v, _ in _linear_ticks(Axis(low=low, high=high), low, high, 4)[2]
        ]
    pattern = "%b %-d" if step >= _DAY_S else "%b %-d %H:%M" if high - low > _DAY_S else "%H:%M" if step >= 60 else "%X"
    first = math.ceil(low / step)
    return [(n * step, _utc(n * step).strftime(pattern)) for n in range(first, math.floor(high / step) + 1)]


def _month_ticks(low: float, high: float, rough: float) -> list[tuple[float, str]]:
    months = next((m for m in _MONTHS if m * _MONTH_S >= rough), 0)
    months = months or 12 * max(1, round(tick_step(rough / (12 * _MONTH_S))))
    begin, end = _utc(low), _utc(high)
    pattern = "%Y" if months >= 12 else "%b %Y"
    ticks = []
    for month in range(begin.year * 12, end.year * 12 + 12):
        if month % months == 0 and 1 <= month // 12 <= 9999:
            at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            if begin <= at <= end:
                ticks.append((at.timestamp(), at.strftime(pattern)))
    return ticks


def _utc(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
