"""Statistics of raw data by TensorFlow Data Validation itself, which has to be there: the environment `tfx`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..files import find_delimiter, find_format, source_files
from ..records import begins_record
from .model import Dataset
from .read import datasets_of, split_of

_RECORDS = "tfrecord"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What TFDV found.

    Attributes:
        messages: its own, one for each data set.
    """

    datasets: list[Dataset]
    messages: list[Any]


def tfdv_statistics(
    source: str, source_uri: str = "", *, features: Sequence[str] = (), sample_rate: float = 1.0
) -> Computed:
    """Returns TFDV's statistics of CSV or TFRecord files, each split a data set.

    Raises:
        ValueError: neither, or TFDV cannot read them; the text is for people.
    """
    import tensorflow_data_validation as tfdv

    splits: dict[str, list[Path]] = {}
    for path in source_files(source, source_uri):
        splits.setdefault(split_of(path), []).append(path)
    options = tfdv.StatsOptions(feature_allowlist=list(features) or None, sample_rate=sample_rate or None)
    datasets, messages = [], []
    for split, paths in splits.items():
        message = _compute(paths, options, source_uri or source)
        messages.append(message)
        datasets += [replace(each, name=split or "all examples") for each in datasets_of(message)]
    if not any(each.features for each in datasets):
        raise ValueError("TFDV found no feature in the data.")
    return Computed(datasets=datasets, messages=messages)


def schema_of(found: Computed) -> Any:
    """Returns the schema that TFDV infers from the first data set."""
    import tensorflow_data_validation as tfdv

    return tfdv.infer_schema(found.messages[0])


def _compute(paths: list[Path], options: Any, shown: str) -> Any:
    import tensorflow_data_validation as tfdv

    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise ValueError(f"{shown} holds files of different kinds: {', '.join(sorted(kinds))}.")
    kind = kinds.pop()
    with tempfile.TemporaryDirectory() as folder:
        pattern = _gathered(paths, Path(folder), kind)
        output = str(Path(folder, "statistics.tfrecord"))
        try:
            if kind == _RECORDS:
                return tfdv.generate_statistics_from_tfrecord(pattern, output_path=output, stats_options=options)
            return tfdv.generate_statistics_from_csv(
                pattern, delimiter=find_delimiter(paths[0]), output_path=output, stats_options=options
            )
        except (ValueError, RuntimeError, TypeError) as error:
            # Beam puts the place within its pipeline behind the reason.
            reason = str(error).partition(" [while running")[0].splitlines()
            raise ValueError(f"TFDV cannot read {shown}: {reason[0] if reason else type(error).__name__}") from None


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    if start == b"\x1f\x8b" or ".tfrecord" in path.name or "tfrecord-" in path.name or _is_record(path):
        return "csv" if ".csv" in path.name else _RECORDS
    kind = find_format(path)
    if kind != "csv":
        raise ValueError(f"TFDV reads CSV and TFRecord files; {path.name} is {kind}.")
    return kind


def _is_record(path: Path) -> bool:
    with path.open("rb") as file:
        return begins_record(file.read(12), path.stat().st_size)


def _gathered(paths: list[Path], folder: Path, kind: str) -> str:
    """Returns a pattern that means these files, and by its ending how they are compressed; Beam goes by that."""
    for at, path in enumerate(paths):
        with path.open("rb") as file:
            ending = ".gz" if file.read(2) == b"\x1f\x8b" else ""
        (folder / f"{at:05}.{kind}{ending}").symlink_to(path.resolve())
    return str(folder / f"*.{kind}*")
