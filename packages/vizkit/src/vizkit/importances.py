"""Importances of features, in the shapes that libraries write them down."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import files
from .bars import Bar
from .metrics import number

if TYPE_CHECKING:
    import pandas as pd

_NAMES: Final = ("feature", "feature_name", "features", "name", "variable", "column", "names")
_VALUES: Final = (
    "importance", "importances_mean", "importance_mean", "mean", "value", "gain", "weight",
    "coefficient", "coef", "score",
)  # fmt: skip
_REACHES: Final = ("std", "importances_std", "importance_std", "stddev", "sd", "error", "stderr")
_MAX_JSON_BYTES: Final = 256 * 1024**2


def read(source: str, source_uri: str = "", *, names: str = "", values: str = "", reach: str = "") -> list[Bar]:
    """Returns one bar a feature, in the file's order. Of several values a feature: their mean and standard deviation.

    Args:
        names: the column of names; "" finds it. Likewise `values` and `reach`.

    Raises:
        ValueError: there are no names with numbers.
    """
    paths = files.source_files(source, source_uri)
    start = files.first_line(paths[0]).lstrip("\ufeff \t")[:1]
    found = _json(paths[0]) if len(paths) == 1 and start in {"{", "["} else None
    bars = _of_object(found) if isinstance(found, Mapping) else []
    if not bars:
        bars = _of_rows(_rows(found, paths, source, source_uri), names, values, reach)
    bars = [each for each in bars if math.isfinite(each.value)]
    if not bars:
        raise ValueError("The file holds no names with numbers.")
    return bars


def _json(path: Path) -> Any:
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_JSON_BYTES // 1024**2} MB, too large for JSON.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        # JSON lines, which the reader of tables knows.
        return None


def _of_object(found: Mapping[str, Any]) -> list[Bar]:
    repeats = found.get("importances")
    means = found.get("importances_mean")
    count = len(repeats) if isinstance(repeats, list) else len(means) if isinstance(means, list) else 0
    if count:
        # What scikit-learn's permutation_importance returns, as JSON.
        names = found.get("feature_names") or found.get("features") or [f"feature {n}" for n in range(count)]
        reaches = found.get("importances_std") or [None] * count
        each = (
            repeats if isinstance(repeats, list) else [_pair(m, s) for m, s in zip(means or [], reaches, strict=True)]
        )
        if not isinstance(names, list) or len(names) != count:
            raise ValueError(f"feature_names must name {count} features, one for each importance.")
        return [_bar(str(name), value) for name, value in zip(names, each, strict=True)]
    return [_bar(str(name), value) for name, value in found.items() if isinstance(value, int | float | list | Mapping)]


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


def _rows(found: Any, paths: Sequence[Path], source: str, source_uri: str) -> pd.DataFrame:
    import pandas as pd

    if isinstance(found, list) and found and all(isinstance(each, Mapping) for each in found):
        return pd.DataFrame(found)
    if isinstance(found, list) and found and all(isinstance(each, list) and len(each) > 1 for each in found):
        return pd.DataFrame(found).rename(
            columns=lambda at: ("feature", "importance", "std")[at] if at < 3 else f"{at}"
        )
    if found is not None:
        raise ValueError('This JSON is neither {"name": value} nor a list of rows with a name and a value.')
    if files.find_format(paths[0]) == "csv":
        cells = files.first_line(paths[0]).split(files.find_delimiter(paths[0]))
        # Without a header the "header" holds numbers.
        if len(cells) in {2, 3} and all(math.isfinite(number(each)) for each in cells[1:]):
            names = ("feature", "importance", "std")[: len(cells)]
            tables = [pd.read_csv(p, sep=files.find_delimiter(p), header=None, names=list(names)) for p in paths]
            return pd.concat(tables, ignore_index=True)
    return files.read_table(source, source_uri)


def _of_rows(rows: pd.DataFrame, names: str, values: str, reach: str) -> list[Bar]:
    import pandas as pd

    numeric = [str(name) for name in rows.columns if pd.api.types.is_numeric_dtype(rows[name])]
    name_of = names or _first(rows, _NAMES) or next((str(c) for c in rows.columns if str(c) not in numeric), "")
    if not name_of:
        raise ValueError(f"No column of names was found. Columns: {', '.join(map(str, rows.columns[:40]))}.")
    labels = files.column(rows, name_of).fillna("").astype(str)
    value_of = values or _first(rows, _VALUES)
    others = [each for each in numeric if each != name_of]
    if not value_of and len(others) > 1:
        # A column for each repeat.
        table = rows[others].to_numpy(float)
        return [_of_repeats(label, line.tolist()) for label, line in zip(labels, table, strict=True)]
    value_of = value_of or next(iter(others), "")
    if not value_of:
        raise ValueError(f"No column of numbers was found. Columns: {', '.join(map(str, rows.columns[:40]))}.")
    numbers = pd.to_numeric(files.column(rows, value_of), errors="coerce")
    if labels.duplicated().any():
        # A row for each repeat.
        grouped = numbers.groupby(labels, sort=False)
        return [_of_repeats(str(label), each.tolist()) for label, each in grouped]
    reach_of = reach or _first(rows, _REACHES)
    reaches = pd.to_numeric(files.column(rows, reach_of), errors="coerce") if reach_of else [math.nan] * len(rows)
    return [
        Bar(name=label, value=float(value), reach=abs(float(each)) if math.isfinite(each) else None)
        for label, value, each in zip(labels, numbers, reaches, strict=True)
    ]


def _first(rows: pd.DataFrame, wanted: Sequence[str]) -> str:
    known = {str(name).casefold().replace(" ", "_"): str(name) for name in rows.columns}
    return next((known[each] for each in wanted if each in known), "")
