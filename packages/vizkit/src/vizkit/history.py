"""The history that a training wrote: one curve per metric and part of the data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from . import files
from .history_files import tables_of
from .history_tables import PART_MARK, PARTS, is_x, name_of_x
from .notes import Notes, counted, listed
from .tabular import floats

_MAX_FAULTS: Final = 3
_LESS_IS_BETTER: Final = re.compile(
    r"loss|error|err\b|mse|mae|rmse|mape|nll|perplexity|ppl|entropy|deviance|_wer|\bwer|logloss"
)
_MORE_IS_BETTER: Final = re.compile(r"acc|auc|f1|precision|recall|r2|score|iou|map\b|bleu|rouge|dice|ndcg")
_SPREAD: Final = re.compile(r"(.*?)(?:_?scores?)?[_ -](?:std|stddev|stdv|sd)")
_MEAN: Final = re.compile(r"(.+?)[_-]mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One metric over the course of a training.

    Attributes:
        metric: its name without the part of the data.
        part: training, validation, test, or the file's own name.
        run: the file it comes from; "" if there is only one.
        x, y: the finite values, by ascending x.
        spread: the standard deviation at each x; None if the file has none.
        last: the last value; NaN or infinite if the training ended so.
        lost: the x of each value that is NaN or infinite.
    """

    metric: str
    part: str
    run: str
    x: Any
    y: Any
    spread: Any = None
    last: float = np.nan
    lost: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the legend."""
        return f"{self.run}: {self.part}" if self.run else self.part

    @property
    def better(self) -> Literal["higher", "lower", "none"]:
        """Which direction is better, by the metric's name."""
        name = self.metric.casefold()
        if _LESS_IS_BETTER.search(name):
            return "lower"
        return "higher" if _MORE_IS_BETTER.search(name) else "none"

    @property
    def is_whole(self) -> bool:
        """Whether the last value is finite."""
        return bool(np.isfinite(self.last))

    def best(self) -> int | None:
        """Returns the index of the best value, judging by the metric's name; None if the name does not tell."""
        if self.better == "none" or not len(self.y):
            return None
        return int(np.argmin(self.y) if self.better == "lower" else np.argmax(self.y))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All curves of a source; `is_time` if x is in seconds since 1970."""

    curves: tuple[Curve, ...]
    x_name: str
    is_time: bool
    notes: Notes = field(default_factory=Notes)


def read(source: str, source_uri: str, variables: Mapping[str, Any]) -> History:
    """Reads the history of trainings in the formats of `history_files`.

    Args:
        source: the source.
        source_uri: its address, for people.
        variables: x_column ("" for the first existing one of step, epoch, iteration, time, else row numbers), metrics
            (columns; empty for all with numbers), and how the file is written; all may be missing.

    Raises:
        ValueError: there are no numbers, or a column is missing.
    """
    paths = files.source_files(source, source_uri)
    notes, wanted = Notes(), [str(each) for each in variables.get("metrics") or []]
    tables = _tables(paths, source_uri, variables, notes)
    x_column = str(variables.get("x_column") or "")
    x_name = next((found for _, _, table in tables if (found := x_column or name_of_x(table))), "")
    files_known = list(dict.fromkeys(path for path, _, _ in tables))
    run_names = dict(zip(files_known, _run_names(files_known), strict=True))
    curves: list[Curve] = []
    is_time = False
    for path, label, table in tables:
        x, is_time = _x_values(table, x_name, notes)
        curves += _curves(table, x, x_name, wanted, ": ".join(filter(None, (run_names[path], label))), notes)
    missing = [each for each in wanted if not any(each in {c.metric, _full_name(c)} for c in curves)]
    known = {name for _, _, table in tables for name in table.columns}
    if missing and not set(missing) & known:
        raise ValueError(f'Column "{missing[0]}" is not in the file. Columns found: {listed(sorted(known), 40)}.')
    if not curves:
        raise ValueError("No column contains numbers to draw.")
    _say_lost(curves, x_name or "row", notes)
    return History(curves=tuple(curves), x_name=x_name or "row", is_time=is_time, notes=notes)


def _tables(
    paths: Sequence[Path], source_uri: str, variables: Mapping[str, Any], notes: Notes
) -> list[tuple[Path, str, pl.DataFrame]]:
    """Returns the tables of all files; with several files, skips and notes those without a table.

    Raises:
        ValueError: no file contains one.
    """
    found: list[tuple[Path, str, pl.DataFrame]] = []
    faults: list[ValueError] = []
    for path in paths:
        try:
            found += [(path, label, table) for label, table in tables_of(path, source_uri, variables, notes)]
        except ValueError as error:
            faults.append(error)
    if not found and faults:
        raise faults[0]
    notes.extend(f"Left out: {error}" for error in faults[:_MAX_FAULTS])
    if len(faults) > _MAX_FAULTS:
        notes.add(f"{len(faults) - _MAX_FAULTS:,} more files are left out for similar reasons.")
    return found


def _full_name(curve: Curve) -> str:
    return curve.metric if curve.part == "training" else f"{curve.part}_{curve.metric}"


def _run_names(paths: Sequence[Path]) -> list[str]:
    """Returns names that distinguish files: their own, and if those are equal also their folders'."""
    if len(paths) < 2:
        return [""] * len(paths)
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else ["/".join(path.with_suffix("").parts[-2:]) for path in paths]


def _x_values(table: pl.DataFrame, name: str, notes: Notes) -> tuple[Any, bool]:
    if not name or (name not in table.columns and len(table)):
        if name and name not in table.columns:
            notes.add(f'A file has no column "{name}"; its row numbers are used instead.')
        return np.arange(1, len(table) + 1, dtype=float), False
    found = table.get_column(name)
    if isinstance(found.dtype, pl.Date | pl.Datetime):
        return found.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6, True
    numbers = floats(found)
    if not numbers.count():
        raise ValueError(f'Column "{name}" holds neither numbers nor times, so it cannot be the x axis.')
    x = numbers.to_numpy()
    if (np.diff(x[np.isfinite(x)]) < 0).any():
        at = int(np.argmax(np.diff(x) < 0)) + 2
        notes.add(f'"{name}" decreases at row {at:,}, as after a restart of the training; points are sorted by it.')
    # Values of the years 2001 to 2065 are seconds since 1970: no training has as many steps.
    is_time = "time" in name.casefold() and np.nanmin(x) > 1e9 and np.nanmax(x) < 3e9
    return x, bool(is_time)


def _curves(table: pl.DataFrame, x: Any, x_name: str, wanted: Sequence[str], run: str, notes: Notes) -> Iterator[Curve]:
    spreads = _spreads(table.columns)
    metrics = [name for name in table.columns if name != x_name and not is_x(name)]
    is_blank = _blank_rows(table, metrics)
    words, taken = [], set()
    for name in table.columns:
        metric, part = split_name(name)
        is_asked = name in wanted or metric in wanted if wanted else name in metrics
        if not is_asked or name in spreads.values():
            continue
        column = table.get_column(name)
        values = None if _holds_no_numbers(column) else floats(column)
        spread = spreads.get(name)
        curve = _curve(x, values, table.get_column(spread) if spread else None, is_blank) if values is not None else {}
        if not curve or not (len(curve["x"]) or curve["lost"]):
            words += [name.replace(PART_MARK, " ")] if column.count() else []
            continue
        mean = _MEAN.fullmatch(metric) if spread else None
        metric = mean[1] if mean else metric
        if (metric, part) in taken:
            # Such as `loss` of each step, and `train_loss` of the whole training.
            metric = name.replace(PART_MARK, " ")
        taken.add((metric, part))
        yield Curve(metric=metric, part=part, run=run, **curve)
    if words:
        notes.add(f"Not drawn, because they hold no numbers: {listed(words)}.")


def _blank_rows(table: pl.DataFrame, metrics: Sequence[str]) -> Any:
    """Returns which rows contain no finite number at all."""
    known = [floats(table.get_column(name)).is_finite().fill_null(value=False) for name in metrics]
    return ~np.logical_or.reduce([each.to_numpy() for each in known] or [np.zeros(len(table), bool)])


def _holds_no_numbers(column: pl.Series) -> bool:
    kind = column.dtype
    return kind.is_temporal() or kind == pl.Boolean or not floats(column).count()


def _curve(x: Any, values: pl.Series, spread: pl.Series | None, is_blank: Any) -> dict[str, Any]:
    y = values.to_numpy()
    # Empty cells are not values, but NaN and infinity are. A step without any known value counts as a value too if the
    # column has no other gaps, because pandas writes NaN as an empty cell.
    is_null = values.is_null().to_numpy()
    counts = is_blank if not is_null[~is_blank].any() else np.zeros(len(x), bool)
    there = (~is_null | counts) & np.isfinite(x)
    order = np.argsort(x[there], kind="stable")
    places, y = x[there][order], y[there][order]
    finite = np.isfinite(y)
    reach = None
    if spread is not None:
        reach = np.nan_to_num(floats(spread).fill_null(0).to_numpy()[there][order][finite])
    return {
        "x": places[finite],
        "y": y[finite],
        "spread": reach,
        "last": float(y[-1]) if len(y) else np.nan,
        "lost": tuple(places[~finite].tolist()),
    }


def _spreads(names: Sequence[str]) -> dict[str, str]:
    """Returns for each column the one with its standard deviation: `train_std` for `train_score`."""
    found = {}
    for name in names:
        match = _SPREAD.fullmatch(name)
        base = match[1] if match else ""
        for end in ("", "_score", "_scores", "_mean", "-mean", "_score_mean", "_scores_mean"):
            each = base + end
            if base and each in names and each != name:
                found[each] = name
    return found


def _say_lost(curves: Sequence[Curve], x_name: str, notes: Notes) -> None:
    for curve in curves:
        if not curve.lost:
            continue
        where = f" of {curve.run}" if curve.run else ""
        until = "" if (curve.x > curve.lost[0]).any() else ", up to the end: the training diverged"
        verb = "is" if len(curve.lost) == 1 else "are"
        notes.add(
            f"{counted(len(curve.lost), 'value')} of {curve.metric} ({curve.part}){where} {verb} NaN, infinite or "
            f"empty, from {x_name} {curve.lost[0]:,g} on{until}."
        )


def split_name(name: str) -> tuple[str, str]:
    """Splits a column's name: `val_loss` becomes (loss, validation), `loss` becomes (loss, training)."""
    part, mark, metric = name.partition(PART_MARK)
    if mark:
        return metric, PARTS.get(part.casefold(), part)
    words = [word for word in re.split(r"([_/\-. ])", name) if word]
    for at, rest in ((0, words[2:]), (-1, words[:-2])):
        if len(words) > 2 and (known := PARTS.get(words[at].casefold())):
            return "".join(rest), known
    return name, "training"


def by_metric(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Returns the curves by metric, losses first, otherwise in their given order."""
    found: dict[str, list[Curve]] = {}
    for each in curves:
        found.setdefault(each.metric, []).append(each)
    return dict(sorted(found.items(), key=lambda item: "loss" not in item[0].casefold()))
