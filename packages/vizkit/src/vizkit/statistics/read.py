"""Reads the files of TFDV and TFX, statistics, schema and anomalies, with the protocol buffers of tensorflow-metadata.

Statistics are stored as one message (`FeatureStats.pb`), as records (`stats_tfrecord`, possibly sharded and compressed)
or as text, one file for each split (`Split-train/FeatureStats.pb`).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..files import source_files
from ..records import begins_record, is_tfrecord, records
from . import messages
from .model import Bucket, Dataset, Feature, Frequency, Numbers, Texts, no_numbers

_MAX_BYTES: Final = 512 * 1024**2
_SPLIT: Final = re.compile(r"(?:^|/)Split-([^/]+)(?:/|$)|(?:^|/)(?:split[=_-])([^/]+)/", re.IGNORECASE)
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}")
_TEXT: Final = re.compile(rb"\s*(?:#|datasets\s*[:{<])")
# TFDV's names for a data set without a name.
_NAMELESS: Final = frozenset({"", "__default_dataset__", "All Examples"})


def read_statistics(source: str, source_uri: str = "") -> list[Dataset]:
    """Returns the data sets of a source's statistics with unique names; shards of a data set are merged.

    Raises:
        ValueError: there are none; the text is for people.
    """
    found: dict[str, Dataset] = {}
    paths = source_files(source, source_uri)
    # A single file without statistics gives an error; in a folder, only files with statistics are read.
    for path in paths if len(paths) == 1 else filter(is_statistics, paths):
        for dataset in datasets_of(load_statistics(path)):
            name = _name(path, dataset.name)
            known = found.get(name)
            if known is None:
                found[name] = replace(dataset, name=name)
            elif _SHARD.search(path.name) or _are_parts(known, dataset):
                found[name] = _merge(known, dataset)
            else:
                name = f"{name} ({path.parent.name}/{path.name})"
                found[name] = replace(dataset, name=name)
    if not any(dataset.features for dataset in found.values()):
        raise ValueError(f"There are no statistics in {source_uri or source}: it describes no feature.")
    return list(found.values())


def holds_statistics(paths: Sequence[Path]) -> bool:
    """Whether any of some files contains statistics instead of data."""
    return any(map(is_statistics, paths))


def is_statistics(path: Path) -> bool:
    """Whether a file contains statistics, judging by its content, since artifacts rarely have a suffix."""
    with path.open("rb") as file:
        start = file.read(256)
    # Data may be large, so the file is read only if its first bytes may be those of statistics.
    is_likely = start.startswith((b"\x0a", b"\x1f\x8b")) or begins_record(start[:12], path.stat().st_size)
    if not (is_likely or _TEXT.match(start)):
        return False
    try:
        found = load_statistics(path)
    except ValueError:
        return False
    return any(dataset.features for dataset in found.datasets)


def split_of(path: Path) -> str:
    """Returns the split of a data set that a path names, as in TFX's folders; "" for none."""
    match = _SPLIT.search(path.as_posix())
    return next(filter(None, match.groups()), "") if match else ""


def _name(path: Path, own: str) -> str:
    split = split_of(path)
    if own in _NAMELESS:
        return split or (path.stem if _SHARD.search(path.name) is None else _SHARD.sub("", path.name))
    return f"{split}: {own}" if split and split != own else own


def _are_parts(one: Dataset, other: Dataset) -> bool:
    """Whether two records describe different features of one data set, as in TFDV's sharded output."""
    names = {feature.name for feature in one.features}
    return not any(feature.name in names for feature in other.features)


def _merge(one: Dataset, other: Dataset) -> Dataset:
    names = {feature.name for feature in one.features}
    more = tuple(feature for feature in other.features if feature.name not in names)
    return replace(one, examples=max(one.examples, other.examples), features=one.features + more)


def load_statistics(path: Path) -> Any:
    """Returns a file's `DatasetFeatureStatisticsList`, with records merged.

    Raises:
        ValueError: the file is not one; the text says what it is.
    """
    content = _content(path)
    if is_tfrecord(content):
        whole = messages.new("statistics")
        for record in records(content, path.name):
            whole.MergeFrom(messages.parse(record, "statistics", path.name))
        return whole
    return messages.parse(content, "statistics", path.name)


def load_schema(path: Path) -> Any:
    """Returns a file's `Schema`, from text or binary.

    Raises:
        ValueError: the file is not one; the text says what it is.
    """
    return messages.parse(_content(path), "schema", path.name)


def load_anomalies(path: Path) -> Any:
    """Returns a file's `Anomalies`, from text or binary.

    Raises:
        ValueError: the file is not one; the text says what it is.
    """
    return messages.parse(_content(path), "anomalies", path.name)


def _content(path: Path) -> bytes:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_BYTES // 1024**2} MB.")
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    pieces = b""
    try:
        while content:
            # A file may consist of several compressed parts in sequence.
            unpacking = zlib.decompressobj(31)
            pieces += unpacking.decompress(content, _MAX_BYTES - len(pieces) + 1)
            content = unpacking.unused_data.lstrip(b"\0")
            if len(pieces) > _MAX_BYTES or unpacking.unconsumed_tail:
                raise ValueError(f"{path.name} holds more than {_MAX_BYTES // 1024**2} MB.")
    except zlib.error:
        raise ValueError(f"{path.name} is damaged: it cannot be decompressed.") from None
    return pieces


# --- Conversion of protocol buffers -----------------------------------------------------------------------------


def datasets_of(message: Any) -> list[Dataset]:
    """Returns the data sets of a `DatasetFeatureStatisticsList`."""
    return [
        Dataset(name=each.name, examples=int(each.num_examples), features=tuple(map(_feature, each.features)))
        for each in message.datasets
    ]


def _feature(message: Any) -> Feature:
    kind = message.Type.Name(message.type) if message.type in message.Type.values() else str(message.type)
    stats = getattr(message, message.WhichOneof("stats") or "string_stats")
    common = stats.common_stats
    steps = messages.steps_of(message.path)
    name = ".".join(steps) if steps else message.name
    return Feature(
        name=name,
        type=kind,
        count=int(common.num_non_missing),
        missing=int(common.num_missing),
        values=int(common.tot_num_values or common.num_non_missing * common.avg_num_values),
        fewest=int(common.min_num_values),
        most=int(common.max_num_values),
        numbers=_numbers(stats) if message.HasField("num_stats") and common.num_non_missing else None,
        texts=_texts(stats) if message.HasField("string_stats") else None,
    )


def _numbers(stats: Any) -> Numbers:
    by_kind: dict[str, Any] = {}
    for histogram in stats.histograms:
        by_kind.setdefault("quantiles" if histogram.type == histogram.QUANTILES else "standard", histogram)
    nan = int(max((histogram.num_nan for histogram in by_kind.values()), default=0))
    if nan and not any(histogram.buckets for histogram in by_kind.values()):
        # TFDV leaves the other figures at zero in this case.
        return no_numbers(nan)
    return Numbers(
        mean=stats.mean,
        std_dev=stats.std_dev,
        zeros=int(stats.num_zeros),
        min=stats.min,
        median=stats.median,
        max=stats.max,
        standard=_buckets(by_kind.get("standard")),
        quantiles=_buckets(by_kind.get("quantiles")),
        nan=nan,
    )


def _buckets(histogram: Any) -> tuple[Bucket, ...]:
    found = histogram.buckets if histogram is not None else ()
    return tuple(
        Bucket(low=each.low_value, high=each.high_value, count=each.sample_count)
        for each in found
        if not math.isnan(each.sample_count)
    )


def _texts(stats: Any) -> Texts:
    return Texts(
        unique=int(stats.unique),
        avg_length=stats.avg_length,
        top=tuple(Frequency(value=each.value, count=each.frequency) for each in stats.top_values),
        ranks=tuple(Frequency(value=each.label, count=each.sample_count) for each in stats.rank_histogram.buckets),
        invalid_utf8=int(stats.invalid_utf8_count),
    )
