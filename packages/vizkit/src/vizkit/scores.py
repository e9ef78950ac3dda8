"""Evaluates a classifier's scores: curves, areas, calibration, counts. The figures are the same as scikit-learn's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

# No screen shows more points of a curve, and a page with ten curves stays small.
_SHOWN: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points of a curve over thresholds.

    Attributes:
        x: false positive rates, or recalls.
        y: true positive rates, or precisions.
        thresholds: NaN for points without one; the first of a ROC curve is infinite.
        area: below all points, before thinning.
        count: the number of points before thinning.
    """

    x: Any
    y: Any
    thresholds: Any
    area: float
    count: int

    def thinned(self, limit: int = _SHOWN) -> Curve:
        """Returns the curve with at most `limit` points, evenly spaced along it; corners stay to within a pixel."""
        if len(self.x) <= limit:
            return self
        way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(self.x)) + np.abs(np.diff(self.y)))])
        wanted = np.linspace(0, way[-1], limit)
        kept = np.unique(np.clip(np.searchsorted(way, wanted), 0, len(way) - 1))
        return Curve(x=self.x[kept], y=self.y[kept], thresholds=self.thresholds[kept], area=self.area, count=self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """True and false positives at each threshold, in descending order."""

    right: Any
    wrong: Any
    thresholds: Any


def _counts(truth: Any, score: Any, weight: Any = None) -> _Counts:
    order = np.argsort(-score, kind="stable")
    score, truth = score[order], truth[order]
    last = np.append(np.nonzero(np.diff(score))[0], len(score) - 1)
    if weight is None:
        right = np.cumsum(truth)[last].astype(float)
        return _Counts(right=right, wrong=1 + last - right, thresholds=score[last])
    weight = weight[order]
    right, wrong = (np.cumsum(weight * side)[last] for side in (truth, ~truth))
    return _Counts(right=right, wrong=wrong, thresholds=score[last])


def roc(truth: Any, score: Any, weight: Any = None) -> Curve:
    """Returns the ROC curve: (0, 0) with an infinite threshold first, then by descending threshold.

    Args:
        truth: booleans, with both values present.
        score: finite numbers, greater for true.
        weight: of each row; None if all count once.
    """
    counts = _counts(truth, score, weight)
    fpr = np.append(0.0, counts.wrong / counts.wrong[-1])
    tpr = np.append(0.0, counts.right / counts.right[-1])
    return roc_of_points(fpr, tpr, np.append(np.inf, counts.thresholds))


def roc_of_points(fpr: Any, tpr: Any, thresholds: Any) -> Curve:
    """Returns the curve through given points, in their order along the curve.

    Points are ordered by descending or ascending threshold. A curve that does not reach a corner is not extended.
    """
    if len(fpr) > 1 and fpr[0] > fpr[-1]:
        fpr, tpr, thresholds = fpr[::-1], tpr[::-1], thresholds[::-1]
    # NumPy renamed trapz to trapezoid, and environments have one or the other.
    area = float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
    return Curve(x=fpr, y=tpr, thresholds=thresholds, area=area, count=len(fpr))


def best_youden(curve: Curve) -> int:
    """Returns the index of the point farthest above chance: the greatest TPR - FPR."""
    return int(np.argmax(curve.y - curve.x))


def mean_roc(curves: list[Curve]) -> Curve:
    """Returns the macro average: the mean of TPR over all FPR; its area is the mean of the areas."""
    fpr = np.unique(np.concatenate([curve.x for curve in curves]))
    tpr = np.mean([_highest(fpr, curve) for curve in curves], axis=0)
    fpr, tpr = np.append(0.0, fpr), np.append(0.0, tpr)
    area = float(np.mean([curve.area for curve in curves]))
    return Curve(x=fpr, y=tpr, thresholds=np.full(len(fpr), np.nan), area=area, count=len(fpr))


def _highest(fpr: Any, curve: Curve) -> Any:
    # Of several points with the same FPR, the last is the highest.
    values, first = np.unique(curve.x[::-1], return_index=True)
    return np.interp(fpr, values, curve.y[::-1][first])


def precision_recall(truth: Any, score: Any, weight: Any = None) -> Curve:
    """Returns precision over recall, from recall 0 on; `area` is the average precision (the sum of steps).

    The first point (recall 0, precision 1) has no threshold, as in scikit-learn.
    """
    counts = _counts(truth, score, weight)
    precision = counts.right / (counts.right + counts.wrong)
    recall = counts.right / counts.right[-1]
    area = float(np.sum(np.diff(np.append(0.0, recall)) * precision))
    return Curve(
        x=np.append(0.0, recall),
        y=np.append(1.0, precision),
        thresholds=np.append(np.nan, counts.thresholds),
        area=area,
        count=len(recall) + 1,
    )


def best_f1(curve: Curve) -> tuple[int, float]:
    """Returns the index of the point with the greatest F1, and that F1."""
    total = curve.x + curve.y
    f1 = np.divide(2 * curve.x * curve.y, total, out=np.zeros(len(total)), where=total > 0)
    at = int(np.argmax(f1))
    return at, float(f1[at])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Reliability of predicted probabilities, by non-empty bins.

    Attributes:
        predicted: mean probability of each bin.
        observed: share of true rows in it.
        counts: the number of its rows.
        low, high: 95 % confidence limits of `observed` (Wilson).
        ece: expected calibration error, the mean of |observed - predicted| over rows.
        brier: mean square of probability minus truth.
    """

    predicted: Any
    observed: Any
    counts: Any
    low: Any
    high: Any
    ece: float
    brier: float


def calibration(
    truth: Any, score: Any, weight: Any = None, *, bins: int, strategy: Literal["uniform", "quantile"]
) -> Calibration:
    """Returns the reliability of probabilities, by bins of equal width or of equal numbers of rows.

    Args:
        truth: booleans.
        score: probabilities.
        weight: of each row; None if all count once. It applies to shares, but confidence limits use the number of rows.
        bins: how many.
        strategy: "uniform" for equal width, "quantile" for equal numbers of rows.
    """
    weight = np.ones(len(score)) if weight is None else weight
    edges = np.linspace(0.0, 1.0, bins + 1)
    if strategy == "quantile":
        edges = np.percentile(score, edges * 100)
    which = np.searchsorted(edges[1:-1], score)
    counts = np.bincount(which, minlength=bins)
    filled = counts > 0
    counts = counts[filled]
    weights = np.bincount(which, weights=weight, minlength=bins)[filled]
    predicted = np.bincount(which, weights=score * weight, minlength=bins)[filled] / weights
    observed = np.bincount(which, weights=truth * weight, minlength=bins)[filled] / weights
    low, high = wilson(observed, counts)
    return Calibration(
        predicted=predicted,
        observed=observed,
        counts=counts,
        low=low,
        high=high,
        ece=float(np.sum(np.abs(observed - predicted) * weights) / weight.sum()),
        brier=float(np.average((score - truth) ** 2, weights=weight)),
    )


def wilson(share: Any, count: Any, z: float = 1.959964) -> tuple[Any, Any]:
    """Returns the limits of a share's confidence interval, 95 % by default."""
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return middle - reach, middle + reach


@dataclass(frozen=True, slots=True, kw_only=True)
class ByClass:
    """Figures by class; NaN if a class was never predicted, or never occurred."""

    precision: Any
    recall: Any
    f1: Any
    support: Any
    predicted: Any
    accuracy: float


def by_class(counts: Any) -> ByClass:
    """Returns precision, recall and F1 by class, from a matrix with the true classes as rows."""
    right, support, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return ByClass(
        precision=_shares(right, predicted),
        recall=_shares(right, support),
        f1=_shares(2 * right, support + predicted),
        support=support,
        predicted=predicted,
        accuracy=float(right.sum() / counts.sum()),
    )


def _shares(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
