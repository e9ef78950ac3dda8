"""Curves and counts that a pipeline computed itself, from a metrics artifact's metadata or from a file of points.

The formats of metadata are KFP's: kubeflow/pipelines, sdk/python/kfp/dsl/types/artifact_types.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from . import scores, tabular
from .labels import number
from .notes import Notes

_POINTS: Final = ("fpr", "tpr", "thresholds")
_POINT_NAMES: Final = (
    ("fpr", "false_positive_rate", "x"), ("tpr", "true_positive_rate", "recall", "y"), ("thresholds", "threshold"),
)  # fmt: skip


def slices(metadata: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields ClassificationMetrics with the name of their slice; "" if they are not sliced."""
    if any(name in metadata for name in ("confidenceMetrics", "confusionMatrix")):
        yield "", metadata
    listed = metadata.get("evaluationSlices")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, Mapping) and isinstance(each.get("sliceClassificationMetrics"), Mapping):
            yield str(each.get("slice", "")), each["sliceClassificationMetrics"]


def is_metrics(metadata: Mapping[str, Any] | None) -> bool:
    """Returns whether a JSON object is the metadata of classification metrics."""
    names = ("confidenceMetrics", "confusionMatrix", "evaluationSlices")
    return metadata is not None and any(name in metadata for name in names)


def curve(metrics: Mapping[str, Any]) -> scores.Curve | None:
    """Returns the ROC curve of ClassificationMetrics; None if fewer than two points were logged."""
    listed = metrics.get("confidenceMetrics")
    points = [_point(each) for each in (listed if isinstance(listed, list) else []) if isinstance(each, Mapping)]
    kept = sorted(each for each in points if 0 <= each[0] <= 1 and 0 <= each[1] <= 1)
    if len(kept) < 2:
        return None
    return scores.roc_of_points(*(np.array(column) for column in zip(*kept, strict=True)))


def _point(item: Mapping[str, Any]) -> tuple[float, float, float]:
    # proto JSON omits zeros, and an infinite threshold has no JSON form.
    threshold = item.get("confidenceThreshold", 0)
    return (
        number(item.get("falsePositiveRate", 0)),
        number(item.get("recall", 0)),
        math.inf if threshold is None else number(threshold),
    )


def matrix(metrics: Mapping[str, Any]) -> tuple[list[str], Any] | None:
    """Returns the labels and counts of a confusion matrix with the true classes as rows; None if there is none.

    Raises:
        ValueError: it is not a square of numbers.
    """
    found = metrics.get("confusionMatrix")
    if not isinstance(found, Mapping):
        return None
    try:
        labels = [str(each.get("displayName", "")) for each in found["annotationSpecs"]]
        # proto JSON omits an empty row.
        counts = np.array([[number(v) for v in row.get("row") or [0] * len(labels)] for row in found["rows"]])
    except (AttributeError, KeyError, TypeError, ValueError):
        labels, counts = [], np.zeros(0)
    if not labels or counts.shape != (len(labels), len(labels)) or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError(
            "The confusion matrix of these metrics is not a square of counts with one row and one column per label."
        )
    return labels, counts


def points(source: str, source_uri: str, variables: Mapping[str, Any]) -> tuple[scores.Curve, Notes]:
    """Reads a ROC curve's points: columns fpr, tpr and thresholds, or those three without a header (KFP 1.x).

    Raises:
        ValueError: a column is missing, or contains no rates.
    """
    table = tabular.read(source, source_uri, tabular.How.of(variables))
    if table.has_header or len(table.names) < len(_POINTS):
        names = [table.find(each) for each in _POINT_NAMES]
        for name, wanted in zip(names, _POINTS, strict=True):
            table.require(name or wanted)
    else:
        names = table.names[: len(_POINTS)]
    rows = table.collect(names)
    fpr, tpr, thresholds = (tabular.floats(rows.get_column(each)).to_numpy() for each in names)
    if len(fpr) < 2 or not (_are_rates(fpr) and _are_rates(tpr)):
        raise ValueError("A computed curve needs at least two points, with fpr and tpr from 0 to 1.")
    if not (_is_ordered(fpr) and _is_ordered(tpr)):
        order = np.lexsort((tpr, fpr))
        fpr, tpr, thresholds = fpr[order], tpr[order], thresholds[order]
    return scores.roc_of_points(fpr, tpr, thresholds), table.notes


def _are_rates(values: Any) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _is_ordered(values: Any) -> bool:
    steps = np.diff(values)
    return bool((steps >= 0).all() or (steps <= 0).all())
