"""Draws statistics: every feature's figures and histogram, several data sets in one, in a self-contained page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from .. import drawings, html
from . import charts
from .compare import difference, unevenness
from .model import Bucket, Dataset, Feature

# The number of available colours.
MAX_DATASETS: Final = 8
_MAX_TABLE_ROWS: Final = 4000
_MAX_RANKS: Final = 50
_MAX_TEXT: Final = 200
_SCRIPTS: Final = (*drawings.SCRIPTS, "statistics-charts")


def draw_statistics(datasets: Sequence[Dataset], *, features: Sequence[str] = ()) -> str:
    """Returns markup that shows data sets next to each other, feature by feature.

    Args:
        datasets: to show.
        features: which to show; empty for all.

    Raises:
        ValueError: there are more data sets than can be distinguished, or no such feature; the text is for people.
    """
    if len(datasets) > MAX_DATASETS:
        names = ", ".join(each.name for each in datasets[:20])
        raise ValueError(
            f"{len(datasets)} data sets are too many to show in one; the limit is {MAX_DATASETS}: {names}."
        )
    rows = _rows(datasets, features)
    payload = {
        "datasets": [{"name": each.name, "examples": each.examples} for each in datasets],
        "features": [_shown(name, found) for name, found in rows],
        "charts": charts.specifications(datasets),
    }
    inner = _inner(datasets, rows)
    shown = html.component("statistics", payload, inner=inner, label="Statistics", before=_SCRIPTS)
    style = f'<link rel="stylesheet" href="{html.asset_url("figure.css")}">'
    return f"{style}{shown}{drawings.picture(charts.picture(datasets, rows))}"


_Row = tuple[str, list[Feature | None]]


def _rows(datasets: Sequence[Dataset], wanted: Sequence[str]) -> list[_Row]:
    by_name = [{feature.name: feature for feature in each.features} for each in datasets]
    names = list(dict.fromkeys(name for each in by_name for name in each))
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ValueError(f'Feature "{unknown[0]}" is not described. Features found: {", ".join(names[:40])}.')
    return [(name, [each.get(name) for each in by_name]) for name in names if name in wanted or not wanted]


def is_numeric(found: Sequence[Feature | None]) -> bool:
    """Whether a feature is shown as numeric: if it is in any data set."""
    return any(each is not None and each.numbers is not None for each in found)


def _shown(name: str, found: list[Feature | None]) -> dict[str, Any]:
    return {
        "name": name,
        "type": " / ".join(dict.fromkeys(each.type for each in found if each is not None)),
        "kind": "number" if is_numeric(found) else "text",
        "difference": difference(found),
        "unevenness": max((unevenness(each) for each in found if each is not None), default=0.0),
        "sets": [None if each is None else _figures(each) for each in found],
    }


def _figures(feature: Feature) -> dict[str, Any]:
    shown: dict[str, Any] = {"count": feature.count, "missing": feature.missing, "values": feature.values}
    if feature.most > 1:
        shown |= {"fewest": feature.fewest, "most": feature.most}
    if feature.numbers is not None:
        numbers = feature.numbers
        names = ("mean", "std_dev", "zeros", "min", "median", "max")
        shown |= {name: plain(getattr(numbers, name)) for name in names}
        shown |= {"nan": numbers.nan} if numbers.nan else {}
        shown |= {"standard": _buckets(numbers.standard), "quantiles": _buckets(numbers.quantiles)}
    if feature.texts is not None:
        texts = feature.texts
        ranks = texts.ranks or texts.top
        shown |= {"unique": texts.unique, "avg_length": plain(texts.avg_length)}
        shown |= {"invalid": texts.invalid_utf8} if texts.invalid_utf8 else {}
        shown["top"] = [[each.value[:_MAX_TEXT], each.count] for each in ranks[:_MAX_RANKS]]
    return shown


def plain(value: float) -> float | str | None:
    """Converts a number for JSON: infinity becomes text, NaN becomes None."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return None if math.isnan(value) else value


def _buckets(buckets: tuple[Bucket, ...]) -> list[list[Any]]:
    return [[plain(each.low), plain(each.high), plain(each.count)] for each in buckets]


# --- The content without scripts, and the table of all figures ----------------------------------------------------


_NUMERIC: Final = ("Count", "Missing", "Mean", "Std. dev.", "Zeros", "Min", "Median", "Max")
_CATEGORICAL: Final = ("Count", "Missing", "Unique", "Top value", "Its count", "Avg. length")


def _inner(datasets: Sequence[Dataset], rows: list[_Row]) -> str:
    legend = "".join(
        f'<li><span class="vk-swatch" style="background: var(--vk-{at})"></span>{html.text(each.name)}'
        f' <span class="vk-muted">{each.examples:,} examples</span></li>'
        for at, each in enumerate(datasets, 1)
    )
    numeric = [row for row in rows if is_numeric(row[1])]
    others = [row for row in rows if not is_numeric(row[1])]
    tables = _table("Numeric features", _NUMERIC, numeric, datasets, _number_cells)
    tables += _table("Categorical features", _CATEGORICAL, others, datasets, _text_cells)
    return f'<ul class="vk-legend">{legend}</ul><div class="vk-tables">{tables}</div>'


def _table(title: str, head: tuple[str, ...], rows: list[_Row], datasets: Sequence[Dataset], cells: Any) -> str:
    if not rows:
        return ""
    several = len(datasets) > 1
    lines = [
        [name, *([dataset.name] if several else []), *cells(feature)]
        for name, found in rows
        for dataset, feature in zip(datasets, found, strict=True)
        if feature is not None
    ]
    more = f", the first {_MAX_TABLE_ROWS:,} rows" if len(lines) > _MAX_TABLE_ROWS else ""
    titles = ["Feature", *(["Data set"] if several else []), *head]
    return html.table(titles, lines[:_MAX_TABLE_ROWS], caption=f"{title} ({len(rows):,}){more}")


def _count_cells(feature: Feature) -> list[str]:
    return [f"{feature.count:,}", html.share(feature.missing_share) if feature.missing else "0"]


def _number_cells(feature: Feature) -> list[Any]:
    numbers = feature.numbers
    if numbers is None:
        return [*_count_cells(feature), *[""] * 6]
    values = (numbers.mean, numbers.std_dev, numbers.zeros, numbers.min, numbers.median, numbers.max)
    return [*_count_cells(feature), *(str(plain(each)) if math.isinf(each) else html.number(each) for each in values)]


def _text_cells(feature: Feature) -> list[Any]:
    texts = feature.texts
    if texts is None:
        return [*_count_cells(feature), *[""] * 4]
    first = texts.top[0] if texts.top else None
    top = [first.value[:_MAX_TEXT], html.number(first.count)] if first else ["", ""]
    return [*_count_cells(feature), f"{texts.unique:,}", *top, html.number(texts.avg_length)]
