"""Counting what was predicted for what was true, from rows or from counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from . import files
from .metrics import number

if TYPE_CHECKING:
    import pandas as pd

MAX_CLASSES: Final = 3000
_BARE: Final = ("target", "predicted", "count")


def read(source: str, source_uri: str = "") -> pd.DataFrame:
    """Returns a source's rows. Of CSV all cells are text, as the file has them.

    Kubeflow's own files have no header: three columns, the third a count, so the "header" ends in a number.
    """
    import pandas as pd

    paths = files.source_files(source, source_uri)
    if any(files.find_format(path) != "csv" for path in paths) or Path(source, "schema.json").is_file():
        return files.read_table(source, source_uri)
    rows = pd.concat([_read(path) for path in paths], ignore_index=True)
    if rows.empty:
        raise ValueError("The file has no rows.")
    return rows


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    delimiter = files.find_delimiter(path)
    cells = files.first_line(path).split(delimiter)
    is_bare = len(cells) == 3 and math.isfinite(number(cells[2].strip('"')))
    given: dict[str, Any] = {"header": None, "names": list(_BARE)} if is_bare else {}
    try:
        return pd.read_csv(path, sep=delimiter, dtype=str, keep_default_na=False, **given)
    except (ValueError, OSError) as error:
        raise ValueError(f"The file cannot be read as a table: {str(error).splitlines()[0]}") from None


def count(rows: pd.DataFrame, variables: Mapping[str, Any]) -> tuple[list[str], Any, float]:
    """Returns the labels, the counts (rows are the truth), and how much is of other classes than those asked for.

    Args:
        variables: target_column, predicted_column, count_column, labels.

    Raises:
        ValueError: a column is not there, counts are none, or no row is left.
    """
    target = files.column(rows, variables.get("target_column") or "target")
    predicted = files.column(rows, variables.get("predicted_column") or "predicted")
    weights = _weights(rows, variables.get("count_column") or "")
    (true_codes, true_names), (codes, names) = _coded(target), _coded(predicted)
    found = sort_labels({*true_names, *names})
    labels = list(dict.fromkeys(variables.get("labels") or found))
    if not set(labels) & set(found):
        raise ValueError(f"None of the labels is in the file. Classes found: {', '.join(found[:20])}.")
    if len(labels) > MAX_CLASSES:
        raise ValueError(f"{len(labels):,} classes are too many to draw; name up to {MAX_CLASSES:,} in labels.")
    place = {label: at for at, label in enumerate(labels)}
    i = np.array([place.get(each, -1) for each in true_names], dtype=np.int64)[true_codes]
    j = np.array([place.get(each, -1) for each in names], dtype=np.int64)[codes]
    known = (i >= 0) & (j >= 0)
    n = len(labels)
    counts = np.bincount(i[known] * n + j[known], weights=weights[known], minlength=n * n).reshape(n, n)
    if not counts.sum() > 0:
        raise ValueError("No row has both a target and a prediction among the labels.")
    return labels, counts, float(weights[~known].sum())


def _coded(column: pd.Series) -> tuple[Any, list[str]]:
    codes, values = column.factorize(use_na_sentinel=False)
    return codes, ["" if value is None or value != value else str(value) for value in values]  # noqa: PLR0124  (NaN)


def _weights(rows: pd.DataFrame, name: str) -> Any:
    import pandas as pd

    name = name or ("count" if list(map(str, rows.columns)) == list(_BARE) else "")
    if not name:
        return np.ones(len(rows))
    found = pd.to_numeric(files.column(rows, name), errors="coerce").to_numpy(float)
    if not np.isfinite(found).all() or (found < 0).any():
        raise ValueError(f'Column "{name}" holds something that is no count.')
    return found


def sort_labels(labels: set[str]) -> list[str]:
    """Returns labels in their order, numbers as numbers."""
    if all(math.isfinite(number(each)) for each in labels):
        return sorted(labels, key=number)
    return sorted(labels)


def pick(labels: Sequence[str], counts: Any, wanted: Sequence[str]) -> tuple[list[str], Any]:
    """Returns a matrix of some of its labels, in their order; all of them where none is wanted.

    Raises:
        ValueError: none of them is there.
    """
    kept = [labels.index(each) for each in wanted if each in labels] if wanted else list(range(len(labels)))
    if not kept:
        raise ValueError(f"None of the labels is in these metrics. They hold: {', '.join(labels[:20])}.")
    return [labels[at] for at in kept], counts[np.ix_(kept, kept)]
