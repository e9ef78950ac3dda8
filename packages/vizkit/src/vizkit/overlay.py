"""Combines charts of several saved results: overlays their curves, or extracts their data as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from .charts import Axis, Chart, Series, specification
from .saved_results import SavedTable, Spec
from .shape import thin

# For all curves of a comparison together, because a page with two hundred must stay small.
_MOST_POINTS: Final = 12_000
_FEWEST_POINTS: Final = 40
_STRONG: Final = 8


def title_of(spec: Spec) -> str:
    """Returns a specification's title; "" for none."""
    title = spec.get("title")
    title = title.get("text") if isinstance(title, Mapping) else title
    return " ".join(map(str, title)) if isinstance(title, list) else title if isinstance(title, str) else ""


def rows_of(spec: Spec) -> list[dict[str, Any]]:
    """Returns the rows that a specification draws first; empty if it contains none."""
    data = spec.get("data")
    values = data.get("values") if isinstance(data, Mapping) else None
    return [row for row in values if isinstance(row, dict)] if isinstance(values, list) else []


def has_curves(spec: Spec) -> bool:
    """Whether a specification is a line chart of `charts.specification`, whose points can be overlaid."""
    rows = rows_of(spec)
    return (
        "vizkit" in (spec.get("usermeta") or {})
        and bool(rows)
        and all({"series", "x", "y"} <= row.keys() for row in rows)
    )


def as_table(spec: Spec) -> SavedTable | None:
    """Returns the data of a specification as a table; None if it contains no rows."""
    rows = rows_of(spec)
    if not rows:
        return None
    own = (spec.get("usermeta") or {}).get("vizkit") or {}
    fields = {each["field"]: each["title"] for each in own.get("fields") or ()} or dict.fromkeys(
        name for row in rows for name in row
    )
    cells = [[None if row.get(name) is None else str(row[name]) for name in fields] for row in rows]
    return SavedTable([title or name for name, title in fields.items()], cells, len(rows))


def overlaid(labels: Sequence[str], specs: Sequence[Spec], strong: int) -> Spec:
    """Returns one chart with the curves of several.

    Args:
        labels: of the results, one per specification; curves are named after their result.
        specs: of the charts.
        strong: the index of the result whose curves are highlighted if there are more than eight.
    """
    first = specs[0]
    own = first["usermeta"]["vizkit"]
    # The name of a curve (an average, a single class) matters only if there are several.
    is_named = any(len({row["series"] for row in rows_of(spec)}) > 1 for spec in specs)
    found = [
        (place, f"{label}: {name}" if is_named else label, points)
        for place, (label, spec) in enumerate(zip(labels, specs, strict=True))
        for name, points in _curves(spec).items()
    ]
    limit = max(_FEWEST_POINTS, _MOST_POINTS // max(1, len(found)))
    series = [
        _series(name, points, limit, is_shown=len(found) <= _STRONG or place == strong) for place, name, points in found
    ]
    chart = Chart(
        title=title_of(first),
        x=_axis(first, "x"),
        y=_axis(first, "y"),
        series=series,
        near=own.get("near") or "x",
        is_square=bool(own.get("is_square")),
    )
    return specification(chart)


def _curves(spec: Spec) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows_of(spec):
        points = curves.setdefault(str(row["series"]), [])
        if row["x"] is not None and row["y"] is not None:
            points.append((_number(row["x"]), float(row["y"])))
    return curves


def _number(value: Any) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)


def _series(name: str, points: Sequence[tuple[float, float]], limit: int, *, is_shown: bool) -> Series:
    if len(points) > limit:
        import numpy as np

        kept = thin(np.array([x for x, _ in points]), np.array([y for _, y in points]), limit)
        points = [points[place] for place in kept]
    return Series(name=name, x=[x for x, _ in points], y=[y for _, y in points], is_shown=is_shown)


def _axis(spec: Spec, name: str) -> Axis:
    channel = (spec.get("encoding") or {}).get(name) or {}
    scale = channel.get("scale") or {}
    is_percent = (channel.get("axis") or {}).get("format") == "%"
    return Axis(
        title=channel.get("title") or "",
        kind="date" if channel.get("type") == "temporal" else "percent" if is_percent else "number",
        low=scale.get("domainMin"),
        high=scale.get("domainMax"),
    )
