"""When an alert fires: the state before, a value and what it is compared with, and nothing of the database."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one render means for an alert.

    Attributes:
        is_met: the state from now on; None while it is not known.
        fires: whether a message is due.
        recovers: whether the condition held before and holds no more.
    """

    is_met: bool | None
    fires: bool
    recovers: bool = False


def threshold_find(was_met: bool | None, value: float | None, *, threshold: float, is_above: bool) -> Finding:  # noqa: FBT001  (the state before, as it is stored)
    """Compares a figure with a threshold; a figure that equals it is on neither side of it.

    Args:
        value: None where the render has no such figure; then nothing changes.
    """
    if value is None:
        return Finding(is_met=was_met, fires=False)
    is_met = value > threshold if is_above else value < threshold
    return Finding(is_met=is_met, fires=is_met and not was_met, recovers=bool(was_met) and not is_met)


def change_find(
    was_met: bool | None,  # noqa: FBT001  (as above)
    value: float | None,
    reference: float | None,
    *,
    most: float,
    is_percent: bool,
    is_fixed: bool,
) -> Finding:
    """Compares a figure with a reference, from which it may differ by `most`.

    Args:
        is_percent: `most` is a share of the reference, in percent.
        is_fixed: the reference is the baseline, so that figures which stay away from it are a repetition. The render
            before is another one each time, so that each change from it is news, and none is over.
    """
    if value is None or reference is None:
        return Finding(is_met=was_met, fires=False)
    is_met = change_size(value, reference, is_percent=is_percent) > most
    recovers = is_fixed and bool(was_met) and not is_met
    return Finding(is_met=is_met, fires=is_met and not (is_fixed and was_met), recovers=recovers)


def change_size(value: float, reference: float, *, is_percent: bool) -> float:
    """Returns by how much a figure differs; infinite for a share of zero."""
    difference = abs(value - reference)
    if not is_percent or not difference:
        return difference
    return difference / abs(reference) * 100 if reference else math.inf
