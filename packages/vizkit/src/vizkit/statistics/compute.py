"""Statistics of CSV and Parquet files with polars, with the same figures as TFDV 1.16 for the same file.

A column's type is determined as in TFDV: INT if each value is a whole number that fits 64 bits, FLOAT if each is a
number, STRING otherwise; an empty cell is a missing value. Quantiles that TFDV estimates (above some thousand distinct
values) are exact here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from .. import tabular
from ..files import source_files
from ..notes import Notes
from .columns import as_texts, describe
from .model import Dataset, Feature
from .read import split_of

# Columns are read in groups, so that a file of any size fits: each group is one pass over the file.
_GROUP_CELLS: Final = 20_000_000
# Each is a data set, and they have to be distinguishable.
_MAX_GROUPS: Final = 8


def compute_statistics(
    source: str,
    source_uri: str = "",
    *,
    features: Sequence[str] = (),
    split_by: str = "",
    max_rows: int = 0,
    how: tabular.How | None = None,
    notes: Notes | None = None,
) -> list[Dataset]:
    """Returns the statistics of a source's tables: all files together, or those of each split (`Split-train/...`).

    Args:
        features: the columns to describe; empty for all.
        split_by: a column whose values define separate data sets.
        max_rows: only this many of the first rows; 0 for all.
        how: what a person specifies about the files.
        notes: receives what was assumed.

    Raises:
        ValueError: no table, no rows, or no such column; the text is for people.
    """
    notes = Notes() if notes is None else notes
    splits: dict[str, list[Path]] = {}
    for path in source_files(source, source_uri):
        splits.setdefault("" if split_by else split_of(path), []).append(path)
    tables = {split: tabular.read_files(paths, source_uri or source, how) for split, paths in splits.items()}
    for table in tables.values():
        notes.extend(table.notes)
    if split_by:
        return _by_group(tables[""], features, split_by, max_rows)
    return [_whole(split or "all rows", table, features, max_rows) for split, table in tables.items()]


def _whole(name: str, table: tabular.Table, features: Sequence[str], max_rows: int) -> Dataset:
    chosen = _chosen(table, features, "")
    total = min(table.total, max_rows) if max_rows else table.total
    if not total:
        raise ValueError("The file has no rows.")
    places = [table.names.index(name) for name in chosen]
    return Dataset(name=name, examples=total, features=tuple(_described(table, _groups(places, total), max_rows)))


def _chosen(table: tabular.Table, features: Sequence[str], split_by: str) -> list[str]:
    for name in [*features, *filter(None, [split_by])]:
        table.require(name)
    return [name for name in table.names if (name in features or not features) and name != split_by]


def _groups(places: list[int], rows: int) -> Iterator[list[int]]:
    size = max(1, _GROUP_CELLS // max(1, rows))
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _by_place(table: tabular.Table, max_rows: int) -> Any:
    """Returns the rows to describe, with columns named by their positions."""
    frame = table.by_place(table.names)
    return frame.head(max_rows) if max_rows else frame


def _described(table: tabular.Table, groups: Iterator[list[int]], max_rows: int) -> Iterator[Feature]:
    import polars as pl

    plain = _by_place(table, max_rows)
    for places in groups:
        frame = table.select(*(pl.col(str(at)) for at in places), from_frame=plain)
        for at in places:
            yield describe(table.names[at], frame.get_column(str(at)))


def _by_group(table: tabular.Table, features: Sequence[str], split_by: str, max_rows: int) -> list[Dataset]:
    import polars as pl

    names = table.names
    chosen = _chosen(table, features, split_by)
    wanted = [str(names.index(name)) for name in [split_by, *chosen]]
    frame = table.select(*map(pl.col, wanted), from_frame=_by_place(table, max_rows))
    groups = as_texts(frame.get_column(str(names.index(split_by))))
    values = groups.unique().to_list()
    if len(values) > _MAX_GROUPS:
        raise ValueError(
            f'Column "{split_by}" has more than {_MAX_GROUPS} values; each would be a data set of its own.'
        )
    if not values:
        raise ValueError("The file has no rows.")
    found = []
    for value in sorted(values, key=lambda each: (each is None, each)):
        part = frame.filter(groups.is_null() if value is None else groups == value)
        described = tuple(describe(name, part.get_column(str(names.index(name)))) for name in chosen)
        found.append(Dataset(name="(missing)" if value is None else value, examples=len(part), features=described))
    return found
