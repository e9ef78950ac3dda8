"""The form of a new alert."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import AlertEvent, TargetKind
from apps.rules.models import Rule

_TARGETS: Final = (TargetKind.EMAIL, TargetKind.WEBHOOK, TargetKind.SLACK)


class AlertForm(forms.Form):
    """An alert's condition and targets."""

    title = forms.CharField(
        label="Name", max_length=200, required=False, help_text="Leave it empty for a name made from the other fields."
    )
    event = forms.ChoiceField(label="Send a message when", choices=AlertEvent.choices)
    rule = forms.ChoiceField(label="Rule", required=False, help_text="Only runs of this rule. Empty: the whole series.")
    figure = forms.CharField(
        label="Key figure", max_length=100, required=False, help_text="One that the results report."
    )
    direction = forms.ChoiceField(label="Gets", choices=[("above", "above"), ("below", "below")], initial="below")
    threshold = forms.FloatField(label="Threshold", required=False)
    change = forms.FloatField(
        label="Changes by more than",
        min_value=0,
        required=False,
        help_text="Compared with the series' baseline or, without one, with the previous render.",
    )
    unit = forms.ChoiceField(
        label="Measured", choices=[("absolute", "in the figure's unit"), ("percent", "in percent")], initial="absolute"
    )
    recovery = forms.BooleanField(
        label="Also when it is over",
        required=False,
        initial=True,
        help_text="One message when the figure is back, or a render or the rule works again.",
    )
    email = forms.CharField(label="E-mail", max_length=254, required=False)
    webhook = forms.CharField(
        label="Webhook", max_length=2000, required=False, help_text="An address that accepts signed POST requests."
    )
    slack = forms.CharField(
        label="Slack", max_length=2000, required=False, help_text="The address of an incoming webhook."
    )

    def __init__(
        self, *args: Any, figures: Iterable[str], rules: Iterable[Rule], has_email: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        names, self._rules = list(figures), {str(each.id): each for each in rules}
        if names:
            self.fields["figure"].widget = forms.Select(choices=[("", "-"), *((name, name) for name in names)])
        if self._rules:
            field = self.fields["rule"]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [("", "-"), *((key, rule.name) for key, rule in self._rules.items())]
        else:
            del self.fields["rule"]
            events = self.fields["event"]
            assert isinstance(events, forms.ChoiceField)  # noqa: S101
            events.choices = [(each.value, each.label) for each in AlertEvent if not each.is_of_rule]
        if not has_email:
            del self.fields["email"]

    @property
    def event_fields(self) -> list[forms.BoundField]:
        """Fields of the event."""
        return self._bound("title", "event", "rule", "recovery")

    @property
    def figure_fields(self) -> list[forms.BoundField]:
        """Fields of the key figure's condition."""
        return self._bound("figure", "direction", "threshold", "change", "unit")

    @property
    def target_fields(self) -> list[forms.BoundField]:
        """Fields of the targets."""
        return self._bound(*(kind.value for kind in _TARGETS))

    def _bound(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    def definition(self) -> AlertDefinition:
        """Returns the condition; requires a valid form."""
        values = self.cleaned_data
        return AlertDefinition(
            event=AlertEvent(values["event"]),
            figure=values["figure"],
            direction=values["direction"],
            threshold=values["threshold"],
            change=values["change"],
            is_percent=values["unit"] == "percent",
        )

    def targets(self) -> list[tuple[TargetKind, str]]:
        """Returns the targets; requires a valid form."""
        given = {kind: self.cleaned_data.get(kind.value, "") for kind in _TARGETS}
        return [(kind, text) for kind, text in given.items() if text]

    def chosen_rule(self) -> Rule | None:
        """Returns the chosen rule, or None; requires a valid form."""
        return self._rules.get(self.cleaned_data.get("rule", ""))
