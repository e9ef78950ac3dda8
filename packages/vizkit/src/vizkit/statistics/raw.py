"""Statistics of raw data by TensorFlow Data Validation itself, which must be installed: the environment `tfx`."""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import tabular
from ..files import source_files
from ..notes import Notes
from ..records import begins_record
from .model import Dataset
from .read import datasets_of, split_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """The result of TFDV.

    Attributes:
        messages: TFDV's own, one for each data set.
        notes: what was assumed when the data was read.
    """

    datasets: list[Dataset]
    messages: list[Any]
    notes: Notes


def tfdv_statistics(
    source: str,
    source_uri: str = "",
    *,
    features: Sequence[str] = (),
    sample_rate: float = 1.0,
    how: tabular.How | None = None,
) -> Computed:
    """Returns TFDV's statistics of CSV or TFRecord files; each split is a data set.

    Raises:
        ValueError: the files have another format, or TFDV cannot read them; the text is for people.
    """
    import tensorflow_data_validation as tfdv

    splits: dict[str, list[Path]] = {}
    for path in source_files(source, source_uri):
        splits.setdefault(split_of(path), []).append(path)
    options = tfdv.StatsOptions(feature_allowlist=list(features) or None, sample_rate=sample_rate or None)
    datasets, messages, notes = [], [], Notes()
    for split, paths in splits.items():
        message = _compute(paths, options, source_uri or source, how, notes)
        messages.append(message)
        datasets += [replace(each, name=split or "all examples") for each in datasets_of(message)]
    if not any(each.features for each in datasets):
        raise ValueError("TFDV found no feature in the data.")
    return Computed(datasets=datasets, messages=messages, notes=notes)


def schema_of(found: Computed) -> Any:
    """Returns the schema that TFDV infers from the first data set."""
    import tensorflow_data_validation as tfdv

    return tfdv.infer_schema(found.messages[0])


def _compute(paths: list[Path], options: Any, shown: str, how: tabular.How | None, notes: Notes) -> Any:
    import tensorflow_data_validation as tfdv

    are_records = {_is_records(path) for path in paths}
    if len(are_records) > 1:
        raise ValueError(f"{shown} holds TensorFlow's records and other files.")
    with tempfile.TemporaryDirectory() as folder:
        output = {"output_path": str(Path(folder, "statistics.tfrecord")), "stats_options": options}
        is_records, plain = are_records.pop(), Path(folder, "rows.csv")
        if not is_records:
            table = tabular.read_files(paths, shown, how)
            notes.extend(table.notes)
            _write(table, plain)
        try:
            if is_records:
                return tfdv.generate_statistics_from_tfrecord(_gathered(paths, Path(folder)), **output)
            return tfdv.generate_statistics_from_csv(str(plain), **output)
        except (ValueError, RuntimeError, TypeError, OSError, EOFError, zlib.error) as error:
            raise ValueError(f"TFDV cannot read {shown}: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """Returns the first line of an error, without Beam's additions: the bytes, and the place within its pipeline."""
    first = next(iter(str(error).splitlines()), "")
    return re.split(r": b['\"]| \[while running", first)[0].rstrip(". ") or type(error).__name__


def _write(table: tabular.Table, path: Path) -> None:
    """Writes rows as the CSV that TFDV reads; nested values of columnar files become JSON."""
    import polars as pl

    from ..cells import as_text

    frame = table.frame
    if not table.is_text:
        frame = pl.DataFrame([as_text(each) for each in table.collect().get_columns()]).lazy()
    frame.sink_csv(path)


def _is_records(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(12)
    return begins_record(start, path.stat().st_size) or (
        _is_packed(path) and ".csv" not in path.name and ".json" not in path.name
    )


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _gathered(paths: list[Path], folder: Path) -> str:
    """Returns a pattern that matches these files and whose suffix names their compression, which Beam relies on."""
    for at, path in enumerate(paths):
        (folder / f"{at:05}.tfrecord{'.gz' if _is_packed(path) else ''}").symlink_to(path.resolve())
    return str(folder / "*.tfrecord*")
