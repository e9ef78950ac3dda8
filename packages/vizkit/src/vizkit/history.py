"""What a training wrote down while it ran: one table a file, one curve a metric and a part of the data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from . import files

if TYPE_CHECKING:
    import pandas as pd

X_COLUMNS: Final = (
    "step", "global_step", "steps", "epoch", "iteration", "iter", "iterations", "batch", "round", "time",
    "timestamp", "date", "datetime", "wall_time", "wall time",
)  # fmt: skip
_PARTS: Final = {"train": "training", "training": "training", "val": "validation", "valid": "validation",
                 "validation": "validation", "eval": "validation", "dev": "validation", "test": "test"}  # fmt: skip
_LESS_IS_BETTER: Final = re.compile(
    r"loss|error|err\b|mse|mae|rmse|mape|nll|perplexity|ppl|entropy|deviance|_wer|\bwer"
)
_MORE_IS_BETTER: Final = re.compile(r"acc|auc|f1|precision|recall|r2|score|iou|map\b|bleu|rouge|dice")
_LONG_NAMES: Final = ("metric", "name", "tag", "key")
_MAX_JSON_BYTES: Final = 256 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One metric over the course of a training.

    Attributes:
        metric: its name without the part of the data.
        part: training, validation, test.
        run: which file it is from; "" where there is one.
        x: ascending.
    """

    metric: str
    part: str
    run: str
    x: Any
    y: Any

    @property
    def name(self) -> str:
        """What the legend says."""
        return f"{self.run}: {self.part}" if self.run else self.part

    @property
    def better(self) -> Literal["higher", "lower", "none"]:
        """Which direction is better, by the metric's name."""
        name = self.metric.casefold()
        if _LESS_IS_BETTER.search(name):
            return "lower"
        return "higher" if _MORE_IS_BETTER.search(name) else "none"

    def best(self) -> int | None:
        """Returns the index of the best value, by the metric's name; None where the name says nothing."""
        import numpy as np

        if self.better == "none":
            return None
        return int(np.argmin(self.y) if self.better == "lower" else np.argmax(self.y))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All curves of a source; `is_time` where x is in seconds since 1970."""

    curves: tuple[Curve, ...]
    x_name: str
    is_time: bool


def read(source: str, source_uri: str = "", *, x_column: str = "", metrics: Sequence[str] = ()) -> History:
    """Reads CSV, JSON lines, a JSON list of objects, or Keras' `{"loss": [...], "val_loss": [...]}`.

    Args:
        x_column: "" for the first of step, epoch, iteration, time that is there; else the rows' numbers.
        metrics: columns; none: all that hold numbers.

    Raises:
        ValueError: no numbers, or a column is not there.
    """
    paths = files.source_files(source, source_uri)
    tables = [(path, _long(table)) for path in paths for table in _tables(path, source_uri)]
    names = _run_names([path for path, _ in tables])
    x_name = next((x_column or found for _, table in tables if (found := x_column or _x_of(table))), "")
    curves: list[Curve] = []
    is_time = False
    for run, (_, table) in zip(names, tables, strict=True):
        x, is_time = _x_values(table, x_name)
        wanted = metrics or [str(name) for name in table.columns if str(name) not in {x_name, *_other_x(table)}]
        curves += _curves(table, x, wanted, run, is_asked=bool(metrics))
    if not curves:
        raise ValueError("No column holds numbers to draw over the steps.")
    return History(curves=tuple(curves), x_name=x_name or "row", is_time=is_time)


def _tables(path: Path, source_uri: str) -> Iterator[pd.DataFrame]:
    import pandas as pd

    found = _json(path) if files.first_line(path).lstrip()[:1] in {"[", "{"} else None
    # The state of Hugging Face's Trainer holds its history among other things.
    if isinstance(found, Mapping) and isinstance(found.get("log_history") or found.get("history"), list | Mapping):
        found = found.get("log_history") or found["history"]
    if isinstance(found, Mapping):
        lists = {name: pd.Series(each, dtype=object) for name, each in found.items() if isinstance(each, list)}
        if not lists:
            raise ValueError(
                'This JSON holds no lists of numbers, such as {"loss": [0.9, 0.5], "val_loss": [0.8, 0.6]}.'
            )
        table = pd.DataFrame(lists)
        table.insert(0, "epoch", range(1, len(table) + 1)) if "epoch" not in table else None
        yield table
    elif isinstance(found, list):
        yield pd.DataFrame([each for each in found if isinstance(each, Mapping)])
    else:
        yield files.read_table(str(path), source_uri)


def _json(path: Path) -> Any:
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_JSON_BYTES // 1024**2} MB, too large for JSON.")
    text = path.read_text(encoding="utf-8-sig")
    try:
        found = json.loads(text)
    except ValueError:
        return _json_lines(text)
    # One line of JSON lines is JSON as well.
    is_row = isinstance(found, Mapping) and not any(isinstance(each, list | Mapping) for each in found.values())
    return [found] if is_row else found


def _json_lines(text: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except ValueError:
            raise ValueError(f"Line {number} of the file is no JSON: {line[:80]}") from None
    return rows


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table of (step, metric, value) with a column for each metric."""
    names = {str(name).casefold(): name for name in table.columns}
    name = next((names[each] for each in _LONG_NAMES if each in names), None)
    if name is None or "value" not in names:
        return table
    x = _x_of(table)
    if not x:
        return table
    wide = table.pivot_table(index=x, columns=name, values=names["value"], aggfunc="mean")
    return wide.reset_index()


def _run_names(paths: Sequence[Path]) -> list[str]:
    """Returns what tells files apart: their names, and where those are the same their folders'."""
    if len(paths) < 2:
        return [""] * len(paths)
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else ["/".join(path.with_suffix("").parts[-2:]) for path in paths]


def _x_of(table: pd.DataFrame) -> str:
    names = {str(name).casefold(): str(name) for name in table.columns}
    return next((names[each] for each in X_COLUMNS if each in names), "")


def _other_x(table: pd.DataFrame) -> set[str]:
    return {str(name) for name in table.columns if str(name).casefold() in X_COLUMNS}


def _x_values(table: pd.DataFrame, name: str) -> tuple[Any, bool]:
    import pandas as pd

    if not name:
        return pd.Series(range(1, len(table) + 1), index=table.index, dtype=float), False
    found = files.column(table, name)
    numbers = pd.to_numeric(found, errors="coerce")
    if numbers.notna().any():
        # Seconds since 1970 are those of 2001 to 2065: nobody counts so many steps.
        is_time = "time" in name.casefold() and numbers.min() > 1e9 and numbers.max() < 3e9
        return numbers, bool(is_time)
    times = pd.to_datetime(found, errors="coerce", utc=True)
    if not times.notna().any():
        raise ValueError(f'Column "{name}" holds neither numbers nor times, so nothing can be drawn over it.')
    return (times - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), True


def _curves(table: pd.DataFrame, x: Any, wanted: Sequence[str], run: str, *, is_asked: bool) -> Iterator[Curve]:
    import numpy as np
    import pandas as pd

    for name in wanted:
        if is_asked and name not in table.columns and run:
            continue
        values = pd.to_numeric(files.column(table, name), errors="coerce")
        known = (np.isfinite(values) & np.isfinite(x)).to_numpy()
        if not known.any():
            continue
        metric, part = split_name(name)
        places = x.to_numpy(float)[known]
        order = np.argsort(places, kind="stable")
        yield Curve(metric=metric, part=part, run=run, x=places[order], y=values.to_numpy(float)[known][order])


def split_name(name: str) -> tuple[str, str]:
    """Returns a column's metric and the part of the data: `val_loss` is (loss, validation), `loss` (loss, training)."""
    words = [word for word in re.split(r"([_/\-. ])", name) if word]
    for at, rest in ((0, words[2:]), (-1, words[:-2])):
        if len(words) > 2 and (part := _PARTS.get(words[at].casefold())):
            return "".join(rest), part
    return name, "training"


def by_metric(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Returns the curves by metric, losses first, then as they came."""
    found: dict[str, list[Curve]] = {}
    for each in curves:
        found.setdefault(each.metric, []).append(each)
    return dict(sorted(found.items(), key=lambda item: "loss" not in item[0].casefold()))
