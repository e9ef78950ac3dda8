"""Importances of features, in the formats that libraries write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from . import files, tabular
from .bars import Bar
from .labels import number
from .notes import Notes, counted, left_out, listed
from .tabular import kinds, unpack

_NAMES: Final = (
    "feature", "feature_name", "features", "feature_names", "name", "variable", "column", "names", "column_name",
    "attribute", "predictor", "term", "index",
)  # fmt: skip
_VALUES: Final = (
    "importance", "importances", "feature_importance", "importances_mean", "importance_mean", "mean", "value", "gain",
    "total_gain", "weight", "cover", "split", "coefficient", "coef", "coefficients", "score", "shap", "mean_abs_shap",
    "abs_mean", "estimate", "average", "relative_importance", "scaled_importance", "percentage", "feature_importances",
    "permutation_importance", "overall", "meandecreasegini", "meandecreaseaccuracy", "incnodepurity",
)  # fmt: skip
_REACHES: Final = ("std", "importances_std", "importance_std", "stddev", "std_dev", "sd", "error", "stderr", "std_err")


def read(source: str, source_uri: str, variables: Mapping[str, Any]) -> tuple[list[Bar], Notes]:
    """Returns one bar per feature, in the file's order; mean and standard deviation for several values of a feature.

    Args:
        source: the source.
        source_uri: its address, for people.
        variables: name_column, value_column, std_column, and how the file is written; all may be missing.

    Raises:
        ValueError: there are no names with numbers.
    """
    paths = files.source_files(source, source_uri)
    notes = Notes()
    found = _object(paths[0], notes) if len(paths) == 1 else None
    bars = _of_object(found) if found else []
    if not bars:
        table = _table(source, source_uri, variables)
        notes = table.notes
        bars = _of_table(table, *(str(variables.get(f"{name}_column") or "") for name in ("name", "value", "std")))
    known = [each for each in bars if math.isfinite(each.value)]
    if not known:
        raise ValueError("The file holds no names with numbers.")
    if len(known) < len(bars):
        notes.add(left_out(len(bars) - len(known), "without a number", "feature"))
    return known, notes


def _object(path: Any, notes: Notes) -> Mapping[str, Any] | None:
    """Returns a file's JSON object of features; None if it is a table, as most JSON is."""
    head = kinds.head_of(path)
    if packing := kinds.packing_of(head):
        path = unpack.unpacked(path, packing)
        head = kinds.head_of(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return None
    found = tabular.load_json(path, notes=notes)
    if not isinstance(found, Mapping) or {"columns", "data"} <= set(found):
        return None
    inner = [each for each in found.values() if isinstance(each, Mapping)]
    # pandas' DataFrame.to_json(): a column of values by row.
    is_frame = len(inner) == len(found) > 0 and (
        all(key.isdecimal() for each in inner for key in each) or any(name in _VALUES for name in found)
    )
    return None if is_frame else found


def _of_object(found: Mapping[str, Any]) -> list[Bar]:
    repeats = found.get("importances")
    means = found.get("importances_mean")
    count = len(repeats) if isinstance(repeats, list) else len(means) if isinstance(means, list) else 0
    if count:
        # The result of scikit-learn's permutation_importance, as JSON.
        names = found.get("feature_names") or found.get("features") or [f"feature {n}" for n in range(count)]
        reaches = found.get("importances_std") or [None] * count
        each = (
            repeats if isinstance(repeats, list) else [_pair(m, s) for m, s in zip(means or [], reaches, strict=True)]
        )
        if not isinstance(names, list) or len(names) != count:
            raise ValueError(f"feature_names must name {count} features, one for each importance.")
        return [_bar(str(name), value) for name, value in zip(names, each, strict=True)]
    return _of_lists(found) or [
        _bar(str(name), value) for name, value in found.items() if isinstance(value, int | float | list | Mapping)
    ]


def _of_lists(found: Mapping[str, Any]) -> list[Bar]:
    """Returns the bars of an object with one list of numbers, such as `feature_importances_`; else empty.

    If there is a list of texts with the same length, it holds the names.
    """
    lists = {name: each for name, each in found.items() if isinstance(each, list) and each}
    numeric = {name: each for name, each in lists.items() if all(type(value) in {int, float} for value in each)}
    named = [each for each in lists.values() if all(isinstance(value, str) for value in each)]
    values = next((each for name, each in numeric.items() if name.strip("_").casefold() in _VALUES), None)
    if values is None and len(numeric) == len(named) == 1:
        values = next(iter(numeric.values()))
    if values is None:
        return []
    names = next((each for each in named if len(each) == len(values)), [f"feature {n}" for n in range(len(values))])
    return [Bar(name=name, value=float(value)) for name, value in zip(names, values, strict=True)]


def _pair(mean: Any, reach: Any) -> Any:
    return {"mean": mean, "std": reach}


def _bar(name: str, value: Any) -> Bar:
    if isinstance(value, Mapping):
        mean = next((value[each] for each in _VALUES if each in value), None)
        reach = number(next((value[each] for each in _REACHES if each in value), None))
        return Bar(name=name, value=number(mean), reach=reach if math.isfinite(reach) else None)
    if isinstance(value, list):
        return _of_repeats(name, value)
    return Bar(name=name, value=number(value))


def _of_repeats(name: str, values: Sequence[Any]) -> Bar:
    known = np.array([each for each in map(number, values) if math.isfinite(each)])
    if not len(known):
        return Bar(name=name, value=math.nan)
    return Bar(name=name, value=float(known.mean()), reach=float(known.std()) if len(known) > 1 else None)


def _table(source: str, source_uri: str, variables: Mapping[str, Any]) -> tabular.Table:
    table = tabular.read(source, source_uri, tabular.How.of(variables))
    is_bare = not table.has_header or all(name.startswith("column_") for name in table.names)
    if (
        is_bare
        and len(table.names) in {2, 3}
        and not any(variables.get(f"{each}_column") for each in ("name", "value"))
    ):
        names = ("feature", "importance", "std")[: len(table.names)]
        table.frame = table.frame.rename(dict(zip(table.names, names, strict=True)))
        table.names = list(names)
    return table


def _of_table(table: tabular.Table, name: str, value: str, reach: str) -> list[Bar]:
    rows = table.collect()
    numeric = [each for each in rows.columns if rows.schema[each].is_numeric()]
    name_of = table.find(_NAMES, given=name) or next((each for each in rows.columns if each not in numeric), "")
    if not name_of:
        raise ValueError(f"No column of names was found. {table.describe()}")
    names = [str(each) if each is not None else "" for each in rows.get_column(name_of).to_list()]
    value_of = table.find((each for each in _VALUES if each != name_of.casefold()), given=value)
    others = [each for each in numeric if each not in {name_of, reach}]
    if not value_of and not others:
        raise ValueError(f"No numeric column was found. {table.describe()}")
    if not value_of and len(others) > 1:
        _check_repeats(table, rows, name_of, names, others)
        lines = rows.select(pl.col(each).cast(pl.Float64) for each in others).rows()
        return [_of_repeats(label, list(line)) for label, line in zip(names, lines, strict=True)]
    value_of = value_of or others[0]
    reach_of = table.find(_REACHES, given=reach)
    unused = [each for each in others if each not in {value_of, reach_of} and each.casefold() != "column_1"]
    if unused:
        table.notes.add(f'Bars show the values of "{value_of}"; not drawn: {listed(unused)}.')
    numbers = [number(each) for each in rows.get_column(value_of).to_list()]
    if len(set(names)) < len(names):
        # One row per repeat.
        repeats: dict[str, list[float]] = {}
        for label, each in zip(names, numbers, strict=True):
            repeats.setdefault(label, []).append(each)
        several = sum(len(each) > 1 for each in repeats.values())
        table.notes.add(f"{counted(several, 'feature')} in several rows: bars show the means.")
        return [_of_repeats(label, found) for label, found in repeats.items()]
    reaches = [number(each) for each in rows.get_column(reach_of).to_list()] if reach_of else [math.nan] * len(names)
    return [
        Bar(name=label, value=each, reach=abs(whisker) if math.isfinite(whisker) else None)
        for label, each, whisker in zip(names, numbers, reaches, strict=True)
    ]


def _check_repeats(
    table: tabular.Table, rows: pl.DataFrame, name_of: str, names: Sequence[str], others: Sequence[str]
) -> None:
    """Rejects other tables: repeats have one row per feature, and their numbers are of similar magnitude."""
    spreads = [float(rows.get_column(each).cast(pl.Float64).abs().max() or 0) for each in others]
    known = [each for each in spreads if each > 0]
    is_alike = not known or max(known) <= 1000 * min(known)
    if len(set(names)) < len(names) or not is_alike:
        raise ValueError(
            f'This does not look like importances: "{name_of}" and {len(others)} numeric columns. Set name_column '
            f"and value_column. {table.describe()}"
        )
    table.notes.add(f"The {len(others)} numeric columns are read as repeats: bars show the means.")
