"""The plots of an evaluation: charts of ROC, precision-recall and calibration, and lists of confusion matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from . import html
from .charts import Axis, Chart, Guide, Mark, Rates, Series, draw
from .evaluation import Slice
from .evaluation_plots import Bucket, Matrix, Plot
from .notes import Notes

MAX_CURVES: Final = 24
_MOST_MATRICES: Final = 40
# A few bins with many rows are more informative than a thousand buckets with a few.
_BINS: Final = 10
_HALF: Final = 0.5


def draw_plots(found: Sequence[Plot], models: Sequence[str], *, slicing_column: str = "") -> tuple[str, Notes]:
    """Returns charts of the chosen models, "" for none, and notes about them.

    Args:
        found: the plots.
        models: their names.
        slicing_column: slices by these columns in addition to all examples, as of `draw_evaluations`; "" for none.
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
        said.add(f"The plots show the first {MAX_CURVES} of {curves:,} curves.")
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
    """Returns the initial position of the threshold's control, and its row counts; only for a single curve."""
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
    """Returns (mean prediction, mean label, rows) of at most ten bins with approximately equal numbers of rows."""
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
