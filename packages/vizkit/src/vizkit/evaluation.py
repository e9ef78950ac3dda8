"""Evaluations written by TensorFlow Model Analysis: the metrics of each model, by slice.

Parsing them requires TFMA's protocol buffers, so TFMA must be installed; nothing else of it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from .files import source_files
from .records import records

OVERALL: Final = "Overall"
_PATTERNS: Final = ("metrics*", "plots*", "validations*", "eval_config*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A metric's value, with the bounds of its confidence interval if TFMA computed one."""

    value: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of the examples.

    Attributes:
        keys: the columns and values that define it; empty for all examples.
    """

    keys: tuple[tuple[str, str], ...]
    metrics: Mapping[str, Value]

    @property
    def columns(self) -> str:
        """The columns that define it, for people."""
        return ", ".join(name for name, _ in self.keys) or OVERALL

    @property
    def label(self) -> str:
        """Its name, for people."""
        return ", ".join(f"{name}: {value}" for name, value in self.keys) or OVERALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A threshold that a model did not meet on a slice, as text."""

    model: str
    where: str
    metric: str
    value: float | None
    threshold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One model's metrics.

    Attributes:
        failures: thresholds it did not meet; None if none was set.
        unshown: metrics that are not a single number, such as curves.
    """

    name: str
    slices: tuple[Slice, ...]
    failures: tuple[Failure, ...] | None = None
    unshown: tuple[str, ...] = ()


def read_evaluations(source: str, source_uri: str = "") -> list[Evaluation]:
    """Returns the evaluations in or below a source, one for each model.

    Raises:
        ValueError: there is none; the text is for people.
    """
    found: list[Evaluation] = []
    folders = folders_of(source, source_uri)
    for name, paths in folders.values():
        metrics = [record for path in paths if _is_metrics(path) for record in records(path.read_bytes(), path.name)]
        failures = _failures([path for path in paths if path.name.startswith("validations")])
        found += _evaluations(metrics, name, failures, several=len(folders) > 1)
    return found


def folders_of(source: str, source_uri: str = "") -> dict[Path, tuple[str, list[Path]]]:
    """Returns the name and files of each folder with an evaluation, in or below a source.

    Raises:
        ValueError: there is none; the text is for people.
    """
    folders: dict[Path, list[Path]] = {}
    for path in source_files(source, source_uri, patterns=_PATTERNS):
        folders.setdefault(path.parent, []).append(path)
    evaluated = {folder: paths for folder, paths in folders.items() if any(map(_is_metrics, paths))}
    if not evaluated:
        raise ValueError(f"There is no evaluation in {source_uri or source}: no file metrics-*.tfrecord.")
    names = _folder_names(list(evaluated))
    return {folder: (names[folder], paths) for folder, paths in evaluated.items()}


def _is_metrics(path: Path) -> bool:
    return path.name == "metrics" or path.name.startswith(("metrics-", "metrics."))


def _folder_names(folders: list[Path]) -> dict[Path, str]:
    """Returns the folders by the distinguishing part of their paths."""
    shortest = min(len(folder.parts) for folder in folders)
    shared = 0
    while shared < shortest - 1 and len({folder.parts[shared] for folder in folders}) == 1:
        shared += 1
    return {folder: "/".join(folder.parts[shared:]) for folder in folders}


class _Reader:
    """Collects one folder's records by model."""

    def __init__(self) -> None:
        self.slices: dict[str, list[Slice]] = {}
        self.unshown: dict[str, dict[str, None]] = {}

    def add(self, message: Any) -> None:
        keys = tuple(slice_keys(message.slice_key)) if message.HasField("slice_key") else _cross(message)
        by_model: dict[str, dict[str, Value]] = {}
        for pair in message.metric_keys_and_values:
            value = _value(pair.value, pair)
            if value is None:
                if pair.value.WhichOneof("type") == "confusion_matrix_at_thresholds":
                    # evaluation_plots.py lists them.
                    continue
                self.unshown.setdefault(pair.key.model_name, {})[metric_name(pair.key)] = None
            else:
                by_model.setdefault(pair.key.model_name, {})[metric_name(pair.key)] = value
        for name, value in message.metrics.items():
            # The format that TFMA wrote before it introduced keys.
            if (shown := _value(value)) is not None:
                by_model.setdefault("", {})[name] = shown
        for model, metrics in by_model.items():
            self.slices.setdefault(model, []).append(Slice(keys=keys, metrics=metrics))


def _evaluations(
    found: list[bytes], folder: str, failures: tuple[Failure, ...] | None, *, several: bool
) -> Iterator[Evaluation]:
    from google.protobuf.message import DecodeError
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2

    reader = _Reader()
    try:
        for record in found:
            reader.add(metrics_for_slice_pb2.MetricsForSlice.FromString(record))
    except DecodeError:
        raise ValueError(f"The metrics in {folder} are damaged, or were not written by TFMA.") from None
    for model, slices in _by_model(reader.slices).items():
        name = (f"{folder}/{model}" if model else folder) if several else model or folder
        ordered = sorted(slices, key=lambda each: (len(each.keys), each.columns, each.keys))
        unshown = tuple(reader.unshown.get(model, ()))
        own = None if failures is None else tuple(each for each in failures if each.model in {"", model})
        yield Evaluation(name=name, slices=tuple(ordered), failures=own, unshown=unshown)


def _by_model(found: dict[str, list[Slice]]) -> dict[str, list[Slice]]:
    """Returns the slices by model. Values without a model, such as counts, are added to each."""
    if len(found) < 2 or "" not in found:
        return found
    shared = {each.keys: each.metrics for each in found[""]}
    return {
        model: [replace(each, metrics={**each.metrics, **shared.get(each.keys, {})}) for each in slices]
        for model, slices in found.items()
        if model
    }


def slice_keys(message: Any) -> Iterator[tuple[str, str]]:
    """Yields the columns and values of a `SliceKey`."""
    for each in message.single_slice_keys:
        kind = each.WhichOneof("kind")
        value = getattr(each, kind) if kind else ""
        yield each.column, value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _cross(message: Any) -> tuple[tuple[str, str], ...]:
    cross = message.cross_slice_key
    one, other = (
        Slice(keys=tuple(slice_keys(each)), metrics={})
        for each in (cross.baseline_slice_key, cross.comparison_slice_key)
    )
    return (("Difference", f"{one.label} against {other.label}"),)


def metric_name(key: Any) -> str:
    """Returns the name of a `MetricKey` or `PlotKey`, with its class, k and output."""
    parts = [key.name + (" (difference)" if getattr(key, "is_diff", False) else "")]
    for name, title in (("class_id", "class"), ("k", "k"), ("top_k", "top")):
        if key.HasField("sub_key") and key.sub_key.HasField(name):
            parts.append(f"{title} {getattr(key.sub_key, name).value}")
    if key.output_name:
        parts.append(key.output_name)
    if "aggregation_type" in key.DESCRIPTOR.fields_by_name and key.HasField("aggregation_type"):
        kind = key.aggregation_type.WhichOneof("type")
        parts += [kind.replace("_average", "")] if kind else []
    return ", ".join(parts)


def _value(message: Any, pair: Any = None) -> Value | None:
    kind = message.WhichOneof("type")
    if kind == "double_value":
        if pair is not None and pair.HasField("confidence_interval"):
            interval = pair.confidence_interval
            ends = (interval.lower_bound.double_value.value, interval.upper_bound.double_value.value)
            return Value(value=message.double_value.value, lower=ends[0], upper=ends[1])
        return Value(value=message.double_value.value)
    if kind == "bounded_value":
        bounded = message.bounded_value
        return Value(value=bounded.value.value, lower=bounded.lower_bound.value, upper=bounded.upper_bound.value)
    return None


def messages(path: Path, kind: Any) -> Iterator[Any]:
    """Parses the records of a file as messages of one type.

    Raises:
        ValueError: one cannot be parsed; the text is for people.
    """
    from google.protobuf.message import DecodeError

    for record in records(path.read_bytes(), path.name):
        try:
            yield kind.FromString(record)
        except DecodeError:
            raise ValueError(f"{path.name} is damaged, or was not written by TFMA.") from None


def _failures(paths: Iterable[Path]) -> tuple[Failure, ...] | None:
    from tensorflow_model_analysis.proto import validation_result_pb2

    found: list[Failure] = []
    has_thresholds = False
    for path in paths:
        for result in messages(path, validation_result_pb2.ValidationResult):
            has_thresholds |= not result.missing_thresholds
            for each in result.metric_validations_per_slice:
                cut = Slice(keys=tuple(slice_keys(each.slice_key)), metrics={})
                found += [_failure(cut.label, failure) for failure in each.failures]
            missing = "a slice it names has no examples"
            found += [
                Failure(model="", where=", ".join(each.feature_keys), metric="", value=None, threshold=missing)
                for each in result.missing_slices
            ]
    found.sort(key=lambda each: (each.where != OVERALL, each.where, each.metric))
    return tuple(found) if has_thresholds or found else None


def _failure(where: str, message: Any) -> Failure:
    value = _value(message.metric_value)
    return Failure(
        model=message.metric_key.model_name,
        where=where,
        metric=metric_name(message.metric_key),
        value=value.value if value is not None else None,
        threshold=_threshold(message.metric_threshold) or message.message,
    )


def _threshold(message: Any) -> str:
    parts = []
    if message.HasField("value_threshold"):
        limits = message.value_threshold
        parts += [f"at least {limits.lower_bound.value:g}"] if limits.HasField("lower_bound") else []
        parts += [f"at most {limits.upper_bound.value:g}"] if limits.HasField("upper_bound") else []
    if message.HasField("change_threshold"):
        limits = message.change_threshold
        is_higher = limits.direction == limits.HIGHER_IS_BETTER
        for name, unit in (("absolute", ""), ("relative", " of it")):
            if limits.HasField(name):
                size = f"{getattr(limits, name).value:g}{unit}"
                parts.append(f"{'above' if is_higher else 'below'} the baseline by {size}")
    return " and ".join(parts)
