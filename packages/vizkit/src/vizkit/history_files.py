"""The files that trainings write, each as tables with a column for each metric.

Tables in any format; Keras' `{"loss": [...]}`; the state of Hugging Face's Trainer; `evals_result` of LightGBM and
XGBoost; nested JSON lines; scikit-learn's `learning_curve`; TensorBoard's CSV and event files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from . import tabular
from .history_tables import PART_MARK, Run, is_count, named_by_file, runs_of, without_numbers
from .notes import Notes
from .records import begins_record
from .tabular import kinds, unpack
from .tfevents import scalars

_HISTORIES: Final = ("log_history", "history", "evals_result", "evals_result_")
_WRAPPERS: Final = ("metrics", "logs", "scalars")


def tables_of(path: Path, source_uri: str, variables: Mapping[str, Any], notes: Notes) -> Iterator[Run]:
    """Yields a file's tables, one for each run in it.

    Raises:
        ValueError: it contains no numbers by step; the text is for people.
    """
    head = kinds.head_of(path)
    if packing := kinds.packing_of(head):
        path = unpack.unpacked(path, packing)
        head = kinds.head_of(path)
    if begins_record(head[:12], path.stat().st_size):
        yield "", _of_events(path)
        return
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        found = tabular.load_json(path, notes=notes)
        table = _of_json(found)
        if table is not None:
            yield from runs_of(table, notes)
            return
    read = tabular.read_files([path], source_uri or str(path), tabular.How.of(variables))
    notes.extend(read.notes)
    rows = read.collect(with_dates=True)
    yield from runs_of(named_by_file(without_numbers(rows) if read.has_header else rows, path), notes)


# --- JSON -------------------------------------------------------------------------------------------------------


def _of_json(found: Any) -> pl.DataFrame | None:
    """Parses the formats that only trainings write; None for those that the table reader handles."""
    # The state of Hugging Face's Trainer contains its history among other things.
    if isinstance(found, Mapping):
        held = next((found[each] for each in _HISTORIES if isinstance(found.get(each), list | Mapping)), None)
        found = found if held is None else held
    if (
        isinstance(found, Mapping)
        and isinstance(found.get("iterations"), list)
        and isinstance(found.get("meta"), Mapping)
    ):
        return _of_catboost(found["iterations"], found["meta"])
    if isinstance(found, Mapping):
        return _of_mapping(found)
    if isinstance(found, list) and found and all(isinstance(each, Mapping) for each in found):
        return _frame([_flat(each) for each in found])
    return None


def _of_mapping(found: Mapping[str, Any]) -> pl.DataFrame | None:
    if _is_sizes(found):
        return _of_sizes(found)
    if isinstance(found.get("data"), list) and ("columns" in found or "schema" in found):
        return None
    parts = {name: each for name, each in found.items() if isinstance(each, Mapping)}
    if parts and all(isinstance(values, list) for each in parts.values() for values in each.values()):
        lists = {
            f"{part}{PART_MARK}{metric}": values for part, each in parts.items() for metric, values in each.items()
        }
        return _of_lists(lists, "iteration")
    lists = {name: each for name, each in found.items() if isinstance(each, list)}
    if lists and not any(isinstance(each, Mapping) for values in lists.values() for each in values):
        return _of_lists(lists, "epoch")
    if parts or lists:
        return None
    return _frame([found])


def _of_lists(lists: Mapping[str, Sequence[Any]], x_name: str) -> pl.DataFrame:
    longest = max(map(len, lists.values()), default=0)
    known = {} if any(map(is_count, lists)) else {x_name: range(1, longest + 1)}
    rows = [{name: each[at] for name, each in {**known, **lists}.items() if at < len(each)} for at in range(longest)]
    return _frame(rows)


def _is_sizes(found: Mapping[str, Any]) -> bool:
    sizes = found.get("train_sizes", found.get("train_sizes_abs"))
    return isinstance(sizes, list) and any(isinstance(found.get(f"{part}_scores"), list) for part in ("train", "test"))


def _of_sizes(found: Mapping[str, Any]) -> pl.DataFrame:
    """Converts the result of scikit-learn's `learning_curve` as JSON: for each size a row of scores, one per fold."""
    import numpy as np

    rows = []
    for at, size in enumerate(found.get("train_sizes") or found["train_sizes_abs"]):
        row: dict[str, Any] = {"train_size": size}
        for part in ("train", "test"):
            folds = found.get(f"{part}_scores") or []
            if at < len(folds):
                row[f"{part}_score"], row[f"{part}_std"] = float(np.mean(folds[at])), float(np.std(folds[at]))
        rows.append(row)
    return _frame(rows)


def _of_catboost(iterations: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]) -> pl.DataFrame:
    """Converts CatBoost's catboost_training.json: lists of values, whose names are in its head."""
    rows = []
    for at, each in enumerate(iterations):
        row: dict[str, Any] = {"iteration": each.get("iteration", at)}
        for part in ("learn", "test"):
            names = [str(metric.get("name")) for metric in meta.get(f"{part}_metrics") or []]
            row |= {f"{part}{PART_MARK}{name}": value for name, value in zip(names, each.get(part) or [], strict=False)}
        rows.append(row)
    return _frame(rows)


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        full = name if not prefix or prefix in _WRAPPERS else f"{prefix}/{name}"
        flat |= _flat(value, full) if isinstance(value, Mapping) else {full: value}
    return flat


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Returns rows of JSON as a table, with columns of other values than numbers as text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame([_column(name, [row.get(name) for row in rows]) for name in names])


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    is_number = all(each is None or isinstance(each, int | float) or _is_constant(each) for each in values)
    if is_number:
        return pl.Series(name, [None if each is None else float(each) for each in values], dtype=pl.Float64)
    texts = pl.Series(name, [None if each is None else str(each) for each in values], dtype=pl.String)
    return tabular.typed(texts, with_dates=True)


def _is_constant(value: Any) -> bool:
    """Whether a text is a number that JSON lacks, as some programs write it."""
    return isinstance(value, str) and value.strip().casefold() in {"nan", "inf", "-inf", "infinity", "-infinity"}


def _of_events(path: Path) -> pl.DataFrame:
    """Returns TensorBoard's scalars: a row per step, a column per metric."""
    rows: dict[int, dict[str, Any]] = {}
    for step, tag, value in scalars(path):
        rows.setdefault(step, {"step": step})[tag] = value
    if not rows:
        raise ValueError(f"{path.name} is a file of TensorFlow records without TensorBoard's scalars.")
    return _frame(list(rows.values()))
