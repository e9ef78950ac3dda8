"""Tables of trainings in one form: one table per run, with a column for each metric and part of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from .notes import Notes, counted

# The name of a run ("" if there is only one) and its table.
Run = tuple[str, pl.DataFrame]

X_COLUMNS: Final = (
    "step", "global_step", "steps", "epoch", "iteration", "iter", "iterations", "batch", "round", "train_size",
    "train_sizes", "train_sizes_abs", "n_samples", "param_range", "param_value", "time", "timestamp", "date",
    "datetime", "wall_time", "wall time", "runtime",
)  # fmt: skip
PARTS: Final = {"train": "training", "training": "training", "learn": "training", "val": "validation",
                "valid": "validation", "validation": "validation", "eval": "validation", "dev": "validation",
                "test": "test"}  # fmt: skip
# Separates a part of the data from a metric, if the file has both.
PART_MARK: Final = "\0"
_PART_COLUMNS: Final = ("split", "phase", "mode", "subset", "dataset", "data", "set", "stage", "partition", "part")
_RUN_COLUMNS: Final = ("run", "run_id", "run_name", "trial", "experiment", "model", "fold", "cv", "seed", "repeat")
_MAX_RUNS: Final = 50
_LONG_NAMES: Final = ("metric", "name", "tag", "key")
_BOARD: Final = ["wall time", "step", "value"]
_TAG: Final = re.compile(r"(?:run-.*-)?tag-(.+)")
# The export format of Weights & Biases: a column for each run and metric, with its minimum and maximum in a step.
_EXPORTED: Final = re.compile(r"(.+) - (.+?)(__MIN|__MAX)?")
_NUMBERS: Final = ("column_1", "index", "Unnamed: 0")


def is_x(name: str) -> bool:
    """Whether a column says when something was measured, instead of a metric."""
    return _plain(name) in X_COLUMNS


def is_count(name: str) -> bool:
    """Whether a column counts steps or rows, instead of time."""
    return _plain(name) in X_COLUMNS[: X_COLUMNS.index("time")]


def name_of_x(table: pl.DataFrame) -> str:
    """Returns the column that says when; "" for none."""
    names = {_plain(name): name for name in table.columns}
    return next((names[each] for each in X_COLUMNS if each in names), "")


def _plain(name: str) -> str:
    return name.strip().casefold().removeprefix("trainer/").lstrip("_")


def without_numbers(table: pl.DataFrame) -> pl.DataFrame:
    """Returns a table without its row numbers, which pandas writes into an unnamed first column."""
    first = table.to_series(0)
    is_number = first.name in _NUMBERS and first.dtype.is_integer() and first.null_count() == 0 and first[0] in {0, 1}
    return table.drop(first.name) if is_number and table.width > 1 and (first.diff().drop_nulls() == 1).all() else table


def named_by_file(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Returns a table of one metric, named after the metric in the file's name, as TensorBoard and MLflow write it."""
    if [name.casefold() for name in table.columns] == _BOARD:
        tag = _TAG.fullmatch(path.stem)
        return table.rename({table.columns[2]: tag[1] if tag else path.stem})
    if table.columns != ["column_1", "column_2", "column_3"] or not table.schema["column_1"].is_integer():
        return table
    # Milliseconds since 1970, in the years 2001 to 2065.
    is_time = table.to_series(0).is_between(1_000_000_000_000, 3_000_000_000_000).all()
    return table.rename(dict(zip(table.columns, ("timestamp", path.name, "step"), strict=True))) if is_time else table


def runs_of(table: pl.DataFrame, notes: Notes) -> Iterator[Run]:
    """Yields the runs of a table, each with a column for each metric."""
    if exported := list(_exported(table, notes)):
        yield from exported
        return
    column = _run_column(table)
    if not column:
        yield "", _wide(table, notes)
        return
    for (value, *_), rows in table.partition_by(column, as_dict=True, maintain_order=True).items():
        label = str(value) if table.schema[column] == pl.String else f"{column} {value}"
        yield label, _wide(rows.drop(column), notes)


def _exported(table: pl.DataFrame, notes: Notes) -> Iterator[Run]:
    x = name_of_x(table)
    matches = {name: _EXPORTED.fullmatch(name) for name in table.columns if name != x}
    if not x or not matches or not all(matches.values()):
        return
    runs: dict[str, dict[str, str]] = {}
    for name, match in matches.items():
        if match and not match[3]:
            runs.setdefault(match[1], {})[name] = match[2]
    if any(match and match[3] for match in matches.values()):
        notes.add("The columns __MIN and __MAX (minimum and maximum in a step) are not drawn.")
    for run, names in runs.items():
        yield run, table.select(x, *names).rename(names)


def _run_column(table: pl.DataFrame) -> str:
    """Returns the column that distinguishes runs, if they have common steps; "" for none."""
    x = name_of_x(table)
    names = {name.casefold(): name for name in table.columns}
    for each in _RUN_COLUMNS:
        column = table.get_column(names[each]) if each in names and x else None
        if column is None or column.dtype.is_float() or column.dtype.is_nested():
            continue
        repeats = table.select(x, column.name).n_unique() > table.get_column(x).n_unique()
        if 1 < column.n_unique() <= _MAX_RUNS and repeats:
            return str(column.name)
    return ""


def _wide(table: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Returns a wide or long table with a column for each metric and part of the data."""
    names = {name.casefold(): name for name in table.columns}
    metric = next((names[each] for each in _LONG_NAMES if each in names), None)
    part, x = _part_column(table), name_of_x(table)
    if not x:
        return table
    if metric is not None and "value" in names and table.schema[names["value"]].is_numeric():
        return _pivoted(table, metric, part, names["value"], notes)
    if not part:
        return table
    pieces = [
        _of_part(rows.drop(part), value)
        for (value, *_), rows in table.partition_by(part, as_dict=True, maintain_order=True).items()
    ]
    return pl.concat(pieces, how="diagonal_relaxed").sort(x, maintain_order=True)


def _of_part(rows: pl.DataFrame, part: str | None) -> pl.DataFrame:
    if part is None:
        return rows
    return rows.rename({name: f"{part}{PART_MARK}{name}" for name in rows.columns if not is_x(name)})


def _part_column(table: pl.DataFrame) -> str:
    names = {name.casefold(): name for name in table.columns}
    for each in _PART_COLUMNS:
        if each in names and table.schema[names[each]] == pl.String:
            found = table.get_column(names[each]).drop_nulls().str.to_lowercase()
            if found.is_in(list(PARTS)).any():
                return str(names[each])
    return ""


def _pivoted(table: pl.DataFrame, metric: str, part: str, value: str, notes: Notes) -> pl.DataFrame:
    x = name_of_x(table)
    if part:
        table = table.with_columns(pl.concat_str(part, metric, separator=PART_MARK, ignore_nulls=True).alias(metric))
    twice = table.height - table.select(x, metric).n_unique()
    if twice:
        verb = "has" if twice == 1 else "have"
        notes.add(f"{counted(twice, 'value')} {verb} the metric and step of another one; their mean is drawn.")
    return table.pivot(metric, index=x, values=value, aggregate_function="mean", maintain_order=True)
