"""The plots of a TensorFlow Model Analysis evaluation, read from its files; evaluation_charts.py draws them.

TFMA's `ConfusionMatrixPlot` contains a confusion matrix for each of many thresholds, from which ROC and
precision-recall curves follow, and its `CalibrationPlot` contains sums by bucket of predictions.
`ConfusionMatrixAtThresholds` is a metric; its matrices are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evaluation import folders_of, messages, metric_name, slice_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix at a threshold; counts may be weighted."""

    threshold: float
    true_positives: float
    false_positives: float
    true_negatives: float
    false_negatives: float

    @property
    def recall(self) -> float | None:
        """The share of true rows that are predicted true; None if there is no true row."""
        return _share(self.true_positives, self.false_negatives)

    @property
    def precision(self) -> float | None:
        """The share of rows predicted true that are true; None if none is predicted true."""
        return _share(self.true_positives, self.false_positives)

    @property
    def false_positive_rate(self) -> float | None:
        """The share of false rows that are predicted true; None if there is no false row."""
        return _share(self.false_positives, self.true_negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A range of predictions: sums over its rows, which may be weighted."""

    rows: float
    labels: float
    predictions: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The plots of one model for one slice.

    Attributes:
        name: of the class or output; "" if there is only one.
        matrices: of a plot, by ascending threshold.
        buckets: by ascending prediction.
        listed: matrices at the thresholds that the evaluation names.
    """

    model: str
    keys: tuple[tuple[str, str], ...]
    name: str = ""
    matrices: tuple[Matrix, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    listed: tuple[Matrix, ...] = ()


def _share(part: float, rest: float) -> float | None:
    return part / (part + rest) if part + rest > 0 else None


def read_plots(source: str, source_uri: str = "") -> list[Plot]:
    """Returns the plots of the evaluations in or below a source; empty if no plot was requested."""
    found: list[Plot] = []
    folders = folders_of(source, source_uri)
    for folder, (name, paths) in folders.items():
        prefix = name if len(folders) > 1 else ""
        alone = "" if len(folders) > 1 else folder.name
        for path in paths:
            if path.name.startswith("plots"):
                found += _of_plots(path, prefix, alone)
            elif path.name.startswith("metrics"):
                found += _of_metrics(path, prefix, alone)
    return found


def _of_plots(path: Path, prefix: str, alone: str) -> Iterator[Plot]:
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2

    for message in messages(path, metrics_for_slice_pb2.PlotsForSlice):
        keys = tuple(slice_keys(message.slice_key))
        if message.HasField("cross_slice_key"):
            continue
        for pair in message.plot_keys_and_values:
            model = _model(prefix, alone, pair.key.model_name)
            plot = plot_of(pair.value, model=model, keys=keys, name=_sub_name(pair.key))
            if plot.matrices or plot.buckets:
                yield plot


def plot_of(data: Any, *, model: str, keys: tuple[tuple[str, str], ...], name: str = "") -> Plot:
    """Converts a `PlotData`."""
    buckets = (
        Bucket(
            rows=each.num_weighted_examples.value,
            labels=each.total_weighted_label.value,
            predictions=each.total_weighted_refined_prediction.value,
        )
        for each in data.calibration_histogram_buckets.buckets
    )
    matrices = tuple(map(_matrix, data.confusion_matrix_at_thresholds.matrices))
    return Plot(model=model, keys=keys, name=name, matrices=matrices, buckets=tuple(buckets))


def _of_metrics(path: Path, prefix: str, alone: str) -> Iterator[Plot]:
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2

    for message in messages(path, metrics_for_slice_pb2.MetricsForSlice):
        for pair in message.metric_keys_and_values:
            if pair.value.WhichOneof("type") == "confusion_matrix_at_thresholds" and message.HasField("slice_key"):
                listed = tuple(map(_matrix, pair.value.confusion_matrix_at_thresholds.matrices))
                model = _model(prefix, alone, pair.key.model_name)
                yield Plot(
                    model=model, keys=tuple(slice_keys(message.slice_key)), name=metric_name(pair.key), listed=listed
                )


def _model(prefix: str, alone: str, name: str) -> str:
    """Returns a model's name in the form of `read_evaluations`."""
    return "/".join(filter(None, (prefix, name))) or alone


def _sub_name(key: Any) -> str:
    return ", ".join(metric_name(key).split(", ")[1:])


def _matrix(message: Any) -> Matrix:
    return Matrix(
        threshold=message.threshold,
        true_positives=message.true_positives,
        false_positives=message.false_positives,
        true_negatives=message.true_negatives,
        false_negatives=message.false_negatives,
    )
