"""The uncertainty of a classifier's curve: 95 % limits of its area and of its points, from the number of rows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .chart_model import Band, Rates
from .predictions import Scored
from .scores import Curve, wilson

_Z: Final = 1.959964


def rates_of(found: Scored) -> Rates:
    """Returns the numbers of true and false rows; sums of weights if rows have them."""
    weight = np.ones(len(found.truth)) if found.weight is None else found.weight
    trues = float(weight[found.truth].sum())
    return Rates(trues=trues, falses=float(weight.sum()) - trues)


def area_limits(curve: Curve, rates: Rates) -> tuple[float, float] | None:
    """Returns 95 % limits of the area under a ROC curve by DeLong's method; None if there are too few rows.

    E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988). The placements of rows are those of the curve's
    steps, so rows need not be compared in pairs.

    Args:
        curve: with all of its points, from rows without weights.
        rates: the numbers of true and false rows.
    """
    trues, falses = rates.trues, rates.falses
    if min(trues, falses) < 2:
        return None
    of_true, of_false = 1 - (curve.x[1:] + curve.x[:-1]) / 2, (curve.y[1:] + curve.y[:-1]) / 2
    spread_true = np.sum(np.diff(curve.y) * trues * (of_true - curve.area) ** 2) / (trues - 1)
    spread_false = np.sum(np.diff(curve.x) * falses * (of_false - curve.area) ** 2) / (falses - 1)
    reach = _Z * float(np.sqrt(spread_true / trues + spread_false / falses))
    return max(0.0, curve.area - reach), min(1.0, curve.area + reach)


def band(curve: Curve, counts: Any, name: str) -> Band:
    """Returns 95 % limits of a curve's shares, point by point (Wilson).

    Args:
        curve: the curve.
        counts: the number of rows behind each share: one number, or one for each point.
        name: of the shares.
    """
    low, high = wilson(curve.y, np.maximum(counts, 1e-9))
    said = f"Shaded: 95 % confidence interval of the {name} at each threshold (Wilson)"
    return Band(name=said, x=curve.x.tolist(), low=low.tolist(), high=high.tolist())
