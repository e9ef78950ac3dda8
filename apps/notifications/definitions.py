"""The condition of an alert, as people define it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from apps.notifications.models import Alert, AlertEvent
from apps.rules.models import Rule
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Recipe

DIRECTIONS: Final = ("above", "below")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDefinition:
    """An alert's condition.

    Attributes:
        figure: name of a key figure, for the two figure events; "" otherwise.
        direction, threshold: for `figure_crossed`.
        change, is_percent: for `figure_changed`.
    """

    event: AlertEvent
    figure: str = ""
    direction: str = ""
    threshold: float | None = None
    change: float | None = None
    is_percent: bool = False

    def columns(self) -> dict[str, Any]:
        """Returns an alert's columns; those that the event does not use are empty."""
        is_crossing = self.event is AlertEvent.FIGURE_CROSSED
        is_change = self.event is AlertEvent.FIGURE_CHANGED
        return {
            "event": self.event,
            "figure": self.figure if self.event.is_of_figure else "",
            "direction": self.direction if is_crossing else "",
            "threshold": self.threshold if is_crossing else None,
            "change": self.change if is_change else None,
            "is_percent": self.is_percent and is_change,
        }


def definition_of(alert: Alert) -> AlertDefinition:
    """Returns an alert's condition."""
    return AlertDefinition(
        event=AlertEvent(alert.event),
        figure=alert.figure,
        direction=alert.direction,
        threshold=alert.threshold,
        change=alert.change,
        is_percent=alert.is_percent,
    )


def definition_check(definition: AlertDefinition, rule: Rule | None, recipe: Recipe) -> None:
    """Validates a condition.

    Raises:
        InvalidRequestError: names the fields that are wrong.
    """
    wrong: dict[str, str] = {}
    if definition.event.is_of_figure and not 1 <= len(definition.figure) <= 100:
        wrong["figure"] = "Name a key figure, in at most 100 characters."
    if definition.event is AlertEvent.FIGURE_CROSSED:
        if definition.direction not in DIRECTIONS:
            wrong["direction"] = "Choose above or below."
        if definition.threshold is None or not math.isfinite(definition.threshold):
            wrong["threshold"] = "Give a number."
    if definition.event is AlertEvent.FIGURE_CHANGED:
        is_usable = definition.change is not None and math.isfinite(definition.change) and definition.change >= 0
        if not is_usable:
            wrong["change"] = "Give a number of at least 0."
    if definition.event.is_of_rule and rule is None:
        wrong["rule"] = "Choose a rule."
    if rule is not None and rule.recipe_id != recipe.id:
        wrong["rule"] = "The rule adds to another series."
    if wrong:
        raise InvalidRequestError(next(iter(wrong.values())), fields=wrong)


def condition_text(definition: AlertDefinition) -> str:
    """Returns a short description of a condition."""
    if definition.event is AlertEvent.FIGURE_CROSSED:
        return f"{definition.figure} {definition.direction} {definition.threshold:g}"
    if definition.event is AlertEvent.FIGURE_CHANGED:
        return f"{definition.figure} changes by more than {definition.change:g}{' %' if definition.is_percent else ''}"
    return str(definition.event.label)


def usual_name(definition: AlertDefinition, rule: Rule | None, recipe: Recipe) -> str:
    """Returns the default name of an alert."""
    of = rule.name if rule else f"{recipe.type_key} of {recipe.artifact_name or recipe.step_id}"
    where = "" if rule or not recipe.pipeline_name else f", {recipe.pipeline_name}"
    return f"{condition_text(definition)}: {of}{where}"
