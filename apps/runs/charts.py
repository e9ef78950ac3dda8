"""The contents of ClassificationMetrics and Metrics artifacts' metadata, prepared for drawing without a render.

The formats are KFP's: kubeflow/pipelines, sdk/python/kfp/dsl/types/artifact_types.py.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

_PLOT: Final = 240.0
_HEATS: Final = 9
_CLASSES: Final = frozenset({"system.ClassificationMetrics", "system.SlicedClassificationMetrics"})
_DRAWN: Final = frozenset({"confusionMatrix", "confidenceMetrics", "evaluationSlices"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RocCurve:
    """A ROC curve in a square of 240 units, (0, 0) at the top left.

    Attributes:
        points: SVG polyline points.
        auc: the area under the curve by the trapezoidal rule over the given points.
    """

    points: str
    auc: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A count and the shade of its field: 0 to 9, by its share of the row."""

    count: float
    heat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionMatrix:
    """Counts by two labels; `axes` are the meanings of rows and columns."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    axes: tuple[str, str] = ("true", "predicted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """One drawing of an artifact; `slice_name` is "" unless the metrics are sliced."""

    roc: RocCurve | None
    confusion: ConfusionMatrix | None
    slice_name: str = ""


def classifications(artifact_type: str, metadata: Mapping[str, Any]) -> tuple[Classification, ...]:
    """Returns the drawings of an artifact; empty for other types, and if nothing drawable was logged."""
    if artifact_type not in _CLASSES:
        return ()
    slices = metadata.get("evaluationSlices")
    found = [("", metadata)]
    found += [
        (str(item.get("slice", "")), item["sliceClassificationMetrics"])
        for item in (slices if isinstance(slices, list) else [])
        if isinstance(item, Mapping) and isinstance(item.get("sliceClassificationMetrics"), Mapping)
    ]
    drawn = (Classification(roc=_roc(values), confusion=_confusion(values), slice_name=name) for name, values in found)
    return tuple(item for item in drawn if item.roc or item.confusion)


def scalars(metadata: Mapping[str, Any]) -> dict[str, float | int | str]:
    """Returns the scalar values of an artifact's metadata, sorted by name; for the type Metrics, these are its metrics.

    The lineage store keeps them in a map, whose order changes from one answer to the next.
    """
    return {
        name: value
        for name, value in sorted(metadata.items())
        if isinstance(value, int | float | str) and name not in _DRAWN
    }


def matrix_of_counts(
    labels: Sequence[str], counts: Iterable[tuple[str, str, float]], *, axes: tuple[str, str]
) -> ConfusionMatrix | None:
    """Returns the matrix of (row label, column label, count); None if a label is unknown or a count is not finite."""
    found: dict[tuple[str, str], float] = {}
    for row, column, count in counts:
        if row not in labels or column not in labels or not math.isfinite(count):
            return None
        found[row, column] = count
    rows = ((row, _cells([found.get((row, column), 0.0) for column in labels])) for row in labels)
    return ConfusionMatrix(labels=tuple(labels), rows=tuple(rows), axes=axes)


def _roc(metadata: Mapping[str, Any]) -> RocCurve | None:
    listed = metadata.get("confidenceMetrics")
    return roc_curve(_rates(listed if isinstance(listed, list) else []))


def roc_curve(rates: Iterable[tuple[float, float]]) -> RocCurve | None:
    """Returns the curve through (false positive rate, true positive rate); None for fewer than two points."""
    points = sorted({(x, y) for x, y in rates if 0 <= x <= 1 and 0 <= y <= 1})
    if len(points) < 2:
        return None
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    drawn = " ".join(f"{x * _PLOT:.1f},{(1 - y) * _PLOT:.1f}" for x, y in points)
    return RocCurve(points=drawn, auc=area, count=len(points))


def _rates(listed: Sequence[Any]) -> Iterator[tuple[float, float]]:
    for item in listed:
        try:
            # proto JSON omits zeros.
            rates = float(item.get("falsePositiveRate", 0)), float(item.get("recall", 0))
        except (AttributeError, TypeError, ValueError):
            continue
        yield rates


def _confusion(metadata: Mapping[str, Any]) -> ConfusionMatrix | None:
    matrix = metadata.get("confusionMatrix")
    if not isinstance(matrix, Mapping):
        return None
    try:
        labels = tuple(str(spec.get("displayName", "")) for spec in matrix["annotationSpecs"])
        # proto JSON omits an empty row.
        rows = [[float(count) for count in row.get("row", [])] for row in matrix["rows"]]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if not labels or len(rows) != len(labels) or not all(map(math.isfinite, itertools.chain(*rows))):
        return None
    return ConfusionMatrix(
        labels=labels, rows=tuple((label, _cells(row)) for label, row in zip(labels, rows, strict=True))
    )


def _cells(row: Sequence[float]) -> tuple[Cell, ...]:
    total = sum(row)
    return tuple(
        Cell(
            count=int(count) if count.is_integer() else count,
            heat=round(_HEATS * count / total) if total > 0 else 0,
        )
        for count in row
    )
