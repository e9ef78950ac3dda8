"""Results consisting of a classifier's curves: selects which are drawn, and what is shown next to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from . import html
from .charts import Chart, Series, draw
from .predictions import Predictions
from .scores import Curve

Named = tuple[str, Curve]

MAX_CURVES: Final = 24
_SHOWN_FIRST: Final = 8
_TABLE_ROWS: Final = 1000


def series(
    found: Sequence[Named], *, averages: Sequence[Named] = (), note: str, area: str, steps: Literal["", "before"] = ""
) -> list[Series]:
    """Returns the curves to draw: averages, and of very many curves those with the least areas, which matter most.

    The first eight are highlighted; the legend highlights others.

    Args:
        found: the curves by name.
        averages: drawn in addition.
        note: the title of the thresholds.
        area: the name of the area under a curve.
        steps: as of `Series`.
    """
    drawn = list(found)
    if len(drawn) > MAX_CURVES:
        kept = {name for name, _ in sorted(drawn, key=lambda each: each[1].area)[:MAX_CURVES]}
        drawn = [each for each in drawn if each[0] in kept]
    return [
        Series(
            name=name,
            x=curve.x.tolist(),
            y=curve.y.tolist(),
            legend=f"{area} {curve.area:.4f}",
            note=note,
            notes=None if math.isnan(curve.thresholds[-1]) else curve.thresholds.tolist(),
            is_filled=len(found) == 1,
            is_dashed=place < len(averages),
            is_shown=place < _SHOWN_FIRST,
            steps=steps,
        )
        for place, (name, each) in enumerate([*averages, *drawn])
        for curve in [each.thinned()]
    ]


def facts_of(read: Predictions) -> dict[str, str]:
    """Returns facts about the rows behind a curve."""
    first = read.classes[0]
    facts = {"Rows": f"{read.rows:,}"}
    if len(read.classes) == 1:
        trues = int(first.truth.sum())
        facts = {
            "Positive class": first.label,
            "Score": first.column,
            **facts,
            "Positive rows": f"{trues:,} ({trues / read.rows:.1%})",
        }
    else:
        facts = {"Classes": f"{len(read.classes):,}", **facts}
    if read.left_out:
        facts["Left out"] = f"{read.left_out:,} rows without a target or a score"
    if read.missing:
        facts["No curve"] = f"{', '.join(read.missing[:20])}: no row, or every row, has this class"
    return facts


def by_class(head: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str) -> str:
    """Returns a table of figures by class, limited to 1,000 classes."""
    words = f"{caption}: the first {_TABLE_ROWS:,} of {len(rows):,}" if len(rows) > _TABLE_ROWS else caption
    return html.table(head, rows[:_TABLE_ROWS], caption=words)


def show(*charts: Chart, big: str = "", facts: Mapping[str, Any], table: str = "", words: str = "") -> None:
    """Displays charts, with their main figure, facts and a table next to them."""
    shown = f'<div class="vk-big auc">{html.text(big)}</div>' if big else ""
    said = f'<p class="vk-muted">{html.text(words)}</p>' if words else ""
    side = f'<div class="vk-side">{shown}{html.facts(facts)}{said}{table}</div>'
    html.show(f'<div class="vk vk-beside">{draw(*charts)}{side}</div>')


def left_out(found: Sequence[Named]) -> str:
    """Returns a sentence about curves that are not drawn; "" if all are."""
    if len(found) <= MAX_CURVES:
        return ""
    return f"Of {len(found):,} curves, the {MAX_CURVES} with the smallest areas are drawn; the table lists all."
