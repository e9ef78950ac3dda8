"""A profile of a table by skrub: each column's values, distribution and association with the others."""

from __future__ import annotations

import re
from typing import Any, Final

import polars as pl

from . import cells, html, tabular
from .notes import Notes

MAX_COLUMNS: Final = 300
# Tables with more columns get no plots and associations: they take a tenth of a second per column, and four times as
# long for twice the columns.
_MAX_PLOTTED: Final = 60
# Two accessibility errors of skrub's page: a list without a name, and empty cells marked as headers.
_SELECT: Final = re.compile(r"<select(?=[^<>]*column-filter-select)")
_PADDING: Final = re.compile(r"<th(?=[^<>]*data-role=\"padding\")")


def read_sample(source: str, source_uri: str, how: tabular.How, *, max_rows: int) -> tuple[pl.DataFrame, int, Notes]:
    """Returns a source's rows with detected types, the total number of rows, and the notes.

    Of more than `max_rows` rows, every n-th is taken, so the sample is evenly spread and reproducible.

    Raises:
        ValueError: there is no table, or it has no rows; the text is for people.
    """
    found = tabular.read(source, source_uri, how)
    notes = found.notes
    names = found.names[:MAX_COLUMNS]
    if len(names) < len(found.names):
        notes.add(f"The file has {len(found.names):,} columns; the first {MAX_COLUMNS} are described.")
    total = found.total
    step = -(-total // max_rows)
    if step > 1:
        found.frame = found.frame.gather_every(step)
    rows = found.collect(names, with_dates=True)
    if step > 1:
        notes.add(f"A sample: every {_ordinal(step)} row, {rows.height:,} of {total:,}.")
    return _plain(rows), total, notes


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in {11, 12, 13} else "th"
    return f"{number:,}{ending}"


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Converts columns of types unknown to the report to text, which is all that it can handle."""
    rows = rows.cast({pl.Decimal: pl.Float64})
    return pl.DataFrame([each if _is_plain(each) else cells.as_text(each) for each in rows.get_columns()])


def _is_plain(column: pl.Series) -> bool:
    kind = column.dtype
    if isinstance(kind, pl.Date | pl.Datetime):
        # It counts in nanoseconds, which end in 2262.
        years = column.dt.year().drop_nulls()
        return bool(years.is_between(1700, 2200).all())
    return not (kind.is_nested() or kind in {pl.Binary, pl.Time, pl.Int128} or isinstance(kind, pl.Duration))


def report(rows: pl.DataFrame) -> str:
    """Returns skrub's report of rows, in the page's theme."""
    import warnings

    from skrub import TableReport

    # Arrow, which the report's plots use, does not accept a NUL in a name.
    rows = rows.rename({name: name.replace("\0", "\ufffd") for name in rows.columns if "\0" in name})
    with warnings.catch_warnings():
        # It warns about its own behaviour, such as shortened labels.
        warnings.simplefilter("ignore")
        few = rows.width <= _MAX_PLOTTED
        made: Any = TableReport(rows, title="", verbose=0, plot_distributions=few, compute_associations=few)
        shown = _PADDING.sub('<th role="cell"', made.html_snippet())
    shown = _SELECT.sub('<select aria-label="Which columns to show"', shown)
    return html.component("profile", None, inner=shown, label="Profile of the table")
