"""The parts of a chart: curves, bands, guides, marks and two axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["number", "percent", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Specification of an axis.

    Attributes:
        kind: date for seconds since 1970 (shown in UTC), percent for shares of one.
        low: the least value; None uses the data, rounded to a tick.
        high: the greatest value; None likewise.
    """

    title: str = ""
    kind: Kind = "number"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve.

    Attributes:
        legend: text after the name in the legend, such as the area.
        notes: an additional value per point, such as its threshold, titled `note`; infinite ones are kept.
        colour: 1 to 8; 0 assigns one by position.
        is_shown: initially highlighted; the legend toggles it.
        steps: "after": a value holds until the next point; "before": it has held since the previous one.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    legend: str = ""
    note: str = ""
    notes: Sequence[float] | None = None
    colour: int = 0
    is_dashed: bool = False
    is_filled: bool = False
    is_shown: bool = True
    has_dots: bool = False
    steps: Literal["", "after", "before"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A shaded area between two curves over the same x; its name says what it is and how it was computed."""

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A thin dashed reference line, labelled at its last point."""

    x: Sequence[float]
    y: Sequence[float]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A highlighted point."""

    x: float
    y: float
    text: str
    colour: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The numbers of true and false rows behind a classifier's curve, which make each point a confusion matrix."""

    trues: float
    falses: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart.

    Attributes:
        near: what the pointer selects: the nearest x, or the nearest point of any curve.
        is_square: equally wide and high, for two shares of one.
        rates: for a ROC curve (x: false positive rate) or a precision-recall curve (x: recall), adds a control for the
            threshold, which starts at the first mark; None for no control.
    """

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    bands: Sequence[Band] = field(default=())
    guides: Sequence[Guide] = field(default=())
    marks: Sequence[Mark] = field(default=())
    near: Literal["x", "point"] = "x"
    is_square: bool = False
    is_low: bool = False
    rates: Rates | None = None
