"""When an alert fires, computed from its previous state and the values compared; independent of the database."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The meaning of a render for an alert.

    Attributes:
        is_met: the new state; None while unknown.
        fires: whether a message is due.
        recovers: whether the condition held before and no longer holds.
    """

    is_met: bool | None
    fires: bool
    recovers: bool = False


def threshold_find(was_met: bool | None, value: float | None, *, threshold: float, is_above: bool) -> Finding:  # noqa: FBT001  (the state before, as it is stored)
    """Compares a figure with a threshold; a figure equal to the threshold does not meet the condition.

    Args:
        value: None if the render lacks the figure; the state then stays the same.
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
        is_percent: `most` is a percentage of the reference.
        is_fixed: the reference is the baseline, so a figure that stays away from it fires only once. Otherwise the
            reference is the previous render, each change fires, and there is no recovery.
    """
    if value is None or reference is None:
        return Finding(is_met=was_met, fires=False)
    is_met = change_size(value, reference, is_percent=is_percent) > most
    recovers = is_fixed and bool(was_met) and not is_met
    return Finding(is_met=is_met, fires=is_met and not (is_fixed and was_met), recovers=recovers)


def change_size(value: float, reference: float, *, is_percent: bool) -> float:
    """Returns the absolute difference, or a percentage of the reference; infinite for a percentage of zero."""
    difference = abs(value - reference)
    if not is_percent or not difference:
        return difference
    return difference / abs(reference) * 100 if reference else math.inf
