"""A profile of a table by skrub: each column's values, distribution and association with the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from . import cells, frames, html, summaries

MAX_COLUMNS: Final = 300
# Of more columns there are no plots and associations: they take a tenth of a second each, and twice the columns four
# times as many.
_MAX_PLOTTED: Final = 60
# Two faults of accessibility in skrub's page: a list without a name, and empty cells that call themselves headers.
_SELECT: Final = re.compile(r"<select(?=[^<>]*column-filter-select)")
_PADDING: Final = re.compile(r"<th(?=[^<>]*data-role=\"padding\")")


def read_sample(source: str, source_uri: str, *, delimiter: str, max_rows: int) -> tuple[pl.DataFrame, int, list[str]]:
    """Returns a source's rows with their types found out, the number of all, and what a person has to know.

    Of more than `max_rows` every n-th is taken, so that the sample is spread evenly and the same each time.

    Raises:
        ValueError: no table, or none with rows; the text is for people.
    """
    return frames.with_scan(lambda found: _sampled(found, max_rows), source, source_uri, delimiter=delimiter)


def _sampled(found: frames.Scan, max_rows: int) -> tuple[pl.DataFrame, int, list[str]]:
    total = summaries.count(found.frame)
    names = found.frame.collect_schema().names()
    frame, notes = found.frame.select(names[:MAX_COLUMNS]), list(found.notes)
    if len(names) > MAX_COLUMNS:
        notes.append(f"The file has {len(names):,} columns; the first {MAX_COLUMNS} are described.")
    step = -(-total // max_rows)
    if step > 1:
        index = "__row__" if "__row__" not in names else "__row__2"
        frame = frame.with_row_index(index).filter(pl.col(index) % step == 0).drop(index)
    rows = frame.collect(engine="streaming")
    if rows.is_empty():
        raise ValueError("The table has no rows.")
    if step > 1:
        notes.insert(0, f"A sample: every {_ordinal(step)} row, {rows.height:,} of {total:,}.")
    return (_typed(rows) if found.is_text else _plain(rows)), total, notes


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in {11, 12, 13} else "th"
    return f"{number:,}{ending}"


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns columns of text as what their text is: numbers, dates, true or false."""
    return pl.DataFrame([_typed_column(series) for series in rows.get_columns()])


def _typed_column(text: pl.Series) -> pl.Series:
    missing = text.is_in(frames.MISSING)
    there = text.to_frame().select(pl.when(~missing).then(pl.first())).to_series().alias(text.name)
    count = there.count()
    if not count:
        return there
    for made in _readings(there):
        if made.count() == count:
            return made
    return there


def _readings(text: pl.Series) -> Iterable[pl.Series]:
    yield text.cast(pl.Int64, strict=False)
    yield text.cast(pl.Float64, strict=False)
    truth = text.str.to_lowercase()
    yield truth.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ"):
        yield text.str.to_datetime(form, strict=False)


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns nested and binary columns as text, which is all that can be said of them here."""
    return pl.DataFrame(
        [
            cells.as_text(each) if each.dtype.is_nested() or each.dtype == pl.Binary else each
            for each in rows.get_columns()
        ]
    )


def report(rows: pl.DataFrame, notes: list[str]) -> str:
    """Returns skrub's report of rows, in the page's theme."""
    import warnings

    from skrub import TableReport

    with warnings.catch_warnings():
        # It warns of its own ways, such as labels that it has shortened.
        warnings.simplefilter("ignore")
        few = rows.width <= _MAX_PLOTTED
        made: Any = TableReport(rows, title="", verbose=0, plot_distributions=few, compute_associations=few)
        shown = _PADDING.sub('<th role="cell"', made.html_snippet())
    shown = _SELECT.sub('<select aria-label="Which columns to show"', shown)
    said = "".join(f'<p class="vk-muted">{html.text(each)}</p>' for each in notes)
    return html.component("profile", None, inner=f"{said}{shown}", label="Profile of the table")
