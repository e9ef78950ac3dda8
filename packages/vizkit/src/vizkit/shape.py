"""Preserves a curve's shape: fewer points that cover the same pixels, and smoothed ones that show the trend."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

MAX_POINTS: Final = 1000


def thin(x: Any, y: Any, limit: int = MAX_POINTS) -> Any:
    """Returns which points of a curve with ascending x to keep: the first, least, greatest and last of each slice.

    Drawing them covers the same pixels as drawing all, as long as a slice is no wider than a pixel or two.

    Args:
        x: an array, ascending.
        y: an array of the same length.
        limit: the maximum number of points.
    """
    import numpy as np

    if len(x) <= limit:
        return np.arange(len(x))
    edges = np.linspace(0, len(x), limit // 4 + 1).astype(int)
    kept: set[int] = set()
    for start, end in itertools.pairwise(edges):
        part = y[start:end]
        kept |= {int(start), int(end) - 1, int(start + np.argmin(part)), int(start + np.argmax(part))}
    return np.array(sorted(kept))


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Returns the exponential moving average, without the bias towards zero at the start (like TensorBoard's)."""
    if weight <= 0:
        return list(values)
    average, total, smoothed = 0.0, 0.0, []
    for value in values:
        average = average * weight + (1 - weight) * value
        total = total * weight + (1 - weight)
        smoothed.append(average / total)
    return smoothed
