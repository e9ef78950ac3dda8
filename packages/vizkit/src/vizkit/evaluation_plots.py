"""The plots of a TensorFlow Model Analysis evaluation: what TFMA keeps of them, read from its files and drawn.

TFMA's `ConfusionMatrixPlot` keeps a confusion matrix for each of many thresholds, which are ROC and precision-recall
curves, and its `CalibrationPlot` keeps sums by bucket of predictions. `ConfusionMatrixAtThresholds` is a metric; its
matrices are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import html
from .charts import Axis, Chart, Guide, Mark, Rates, Series, draw
from .evaluation import OVERALL, Slice, folders_of, metric_name, slice_keys
from .notes import Notes
from .records import records

MAX_CURVES: Final = 24
_MOST_MATRICES: Final = 40
# Few buckets with many rows say more than a thousand with a few.
_BINS: Final = 10
_HALF: Final = 0.5


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
        """The share of true rows that are called true; None where there is no true row."""
        return _share(self.true_positives, self.false_negatives)

    @property
    def precision(self) -> float | None:
        """The share of rows called true that are; None where none is called true."""
        return _share(self.true_positives, self.false_positives)

    @property
    def false_positive_rate(self) -> float | None:
        """The share of rows that are not true and are called so; None where there is none."""
        return _share(self.false_positives, self.true_negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A part of the predictions: sums over its rows, which may be weighted."""

    rows: float
    labels: float
    predictions: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What one model has of one slice.

    Attributes:
        name: of the class or output; "" where there is one only.
        matrices: by rising threshold, of a plot.
        buckets: by rising prediction.
        listed: matrices at the thresholds that the evaluation names.
    """

    model: str
    keys: tuple[tuple[str, str], ...]
    name: str = ""
    matrices: tuple[Matrix, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    listed: tuple[Matrix, ...] = ()

    @property
    def label(self) -> str:
        """What it is called beside others."""
        parts = (self.model, self.name, ", ".join(f"{name}: {value}" for name, value in self.keys))
        return ", ".join(filter(None, parts)) or OVERALL


def _share(part: float, rest: float) -> float | None:
    return part / (part + rest) if part + rest > 0 else None


def read_plots(source: str, source_uri: str = "") -> list[Plot]:
    """Returns what the evaluations in or below a source keep of plots; nothing where no plot was asked for."""
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

    for record in records(path.read_bytes(), path.name):
        message = metrics_for_slice_pb2.PlotsForSlice.FromString(record)
        keys = tuple(slice_keys(message.slice_key))
        if message.HasField("cross_slice_key"):
            continue
        for pair in message.plot_keys_and_values:
            model = _model(prefix, alone, pair.key.model_name)
            plot = plot_of(pair.value, model=model, keys=keys, name=_sub_name(pair.key))
            if plot.matrices or plot.buckets:
                yield plot


def plot_of(data: Any, *, model: str, keys: tuple[tuple[str, str], ...], name: str = "") -> Plot:
    """Returns what a `PlotData` holds."""
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

    for record in records(path.read_bytes(), path.name):
        message = metrics_for_slice_pb2.MetricsForSlice.FromString(record)
        for pair in message.metric_keys_and_values:
            if pair.value.WhichOneof("type") == "confusion_matrix_at_thresholds" and message.HasField("slice_key"):
                listed = tuple(map(_matrix, pair.value.confusion_matrix_at_thresholds.matrices))
                model = _model(prefix, alone, pair.key.model_name)
                yield Plot(
                    model=model, keys=tuple(slice_keys(message.slice_key)), name=metric_name(pair.key), listed=listed
                )


def _model(prefix: str, alone: str, name: str) -> str:
    """Returns a model's name as `read_evaluations` gives it."""
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


def draw_plots(found: Sequence[Plot], models: Sequence[str], *, slicing_column: str = "") -> tuple[str, Notes]:
    """Returns charts of the chosen models, "" for none, and what a person has to know of them.

    Args:
        models: their names.
        slicing_column: slices by these columns beside all examples, as of `draw_evaluations`; "" for none.
    """
    wanted = {part.strip() for part in slicing_column.split(",") if part.strip()}
    chosen = [
        each for each in found if each.model in models and (not each.keys or {name for name, _ in each.keys} == wanted)
    ]
    has_models = len({each.model for each in chosen}) > 1
    named = [(_named(each, has_models=has_models), each) for each in chosen]
    charts = [
        *_curves([pair for pair in named if pair[1].matrices]),
        *_calibration([pair for pair in named if pair[1].buckets]),
    ]
    said = Notes()
    curves = max(sum(bool(each.matrices) for each in chosen), sum(bool(each.buckets) for each in chosen))
    if curves > MAX_CURVES:
        said.add(f"The plots have the first {MAX_CURVES} of {curves:,} curves.")
    return (draw(*charts) if charts else "") + _tables([pair for pair in named if pair[1].listed]), said


def _named(plot: Plot, *, has_models: bool) -> str:
    parts = (plot.model if has_models else "", plot.name, Slice(keys=plot.keys, metrics={}).label)
    return ", ".join(filter(None, parts))


def _curves(named: Sequence[tuple[str, Plot]]) -> Iterator[Chart]:
    if not named:
        return
    shown = named[:MAX_CURVES]
    for title, x, y, place in (
        ("ROC curve", "False positive rate", "True positive rate", lambda m: (m.false_positive_rate, m.recall)),
        ("Precision and recall", "Recall", "Precision", lambda m: (m.recall, m.precision)),
    ):
        series = [_series(name, plot.matrices, place, is_alone=len(shown) == 1) for name, plot in shown]
        marks, rates = _control(shown, place)
        yield Chart(
            title=title,
            x=Axis(title=x, low=0, high=1),
            y=Axis(title=y, low=0, high=1),
            series=series,
            guides=[Guide(x=[0, 1], y=[0, 1])] if x.startswith("False") else (),
            marks=marks,
            rates=rates,
            near="point",
            is_square=True,
        )


def _series(name: str, matrices: Sequence[Matrix], place: Any, *, is_alone: bool) -> Series:
    points = [(*place(each), each.threshold) for each in sorted(matrices, key=lambda each: -each.threshold)]
    kept = sorted(((x, y, t) for x, y, t in points if x is not None and y is not None), key=lambda each: each[0])
    return Series(
        name=name,
        x=[x for x, _, _ in kept],
        y=[y for _, y, _ in kept],
        note="Threshold",
        notes=[t for _, _, t in kept],
        is_filled=is_alone,
    )


def _control(shown: Sequence[tuple[str, Plot]], place: Any) -> tuple[list[Mark], Rates | None]:
    """Returns where the threshold's control begins, and what its confusion matrix is of; for one curve only."""
    if len(shown) != 1:
        return [], None
    matrices = shown[0][1].matrices
    nearest = min(matrices, key=lambda each: abs(each.threshold - _HALF))
    x, y = place(nearest)
    if x is None or y is None:
        return [], None
    rates = Rates(
        trues=nearest.true_positives + nearest.false_negatives, falses=nearest.false_positives + nearest.true_negatives
    )
    return [Mark(x=x, y=y, text=f"Threshold {nearest.threshold:.3g}")], rates


def calibration_points(buckets: Sequence[Bucket]) -> list[tuple[float, float, float]]:
    """Returns (mean prediction, mean label, rows) of at most ten bins with about as many rows each."""
    filled = [each for each in buckets if each.rows > 0]
    whole = sum(each.rows for each in filled)
    made: list[tuple[float, float, float]] = []
    rows = labels = predictions = 0.0
    for place, each in enumerate(filled):
        rows, labels, predictions = rows + each.rows, labels + each.labels, predictions + each.predictions
        if rows >= whole / _BINS or place == len(filled) - 1:
            made.append((predictions / rows, labels / rows, rows))
            rows = labels = predictions = 0.0
    return made


def _calibration(named: Sequence[tuple[str, Plot]]) -> Iterator[Chart]:
    if not named:
        return
    series = []
    for name, plot in named[:MAX_CURVES]:
        points = calibration_points(plot.buckets)
        x, y, rows = zip(*points, strict=True) if points else ((), (), ())
        series.append(Series(name=name, x=x, y=y, note="Rows", notes=rows, has_dots=True))
    yield Chart(
        title="Calibration",
        x=Axis(title="Mean prediction"),
        y=Axis(title="Mean label"),
        series=series,
        guides=[Guide(x=[0, 1], y=[0, 1])],
        near="point",
        is_square=True,
    )


def _tables(named: Sequence[tuple[str, Plot]]) -> str:
    rows = [
        (
            name,
            f"{each.threshold:g}",
            *(html.number(value) for value in _counts(each).values()),
            *("" if value is None else f"{value:.4f}" for value in (each.precision, each.recall)),
        )
        for name, plot in named
        for each in plot.listed
    ]
    if not rows:
        return ""
    head = ["Slice", "Threshold", *_counts(named[0][1].listed[0]), "Precision", "Recall"]
    cut = f": the first {_MOST_MATRICES} of {len(rows):,}" if len(rows) > _MOST_MATRICES else ""
    return html.group(html.table(head, rows[:_MOST_MATRICES], caption=f"Confusion matrices at thresholds{cut}"))


def _counts(matrix: Matrix) -> Mapping[str, float]:
    return {
        "True positives": matrix.true_positives,
        "False positives": matrix.false_positives,
        "True negatives": matrix.true_negatives,
        "False negatives": matrix.false_negatives,
    }
