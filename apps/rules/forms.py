"""The form of a new rule."""

from __future__ import annotations

from typing import Final

from django import forms

from apps.rules.conditions import RunConditions
from apps.rules.services import MOST_EARLIER
from apps.runs.entities import State

_STATES: Final = [(state.value, state.label) for state in State if state.is_final and state.is_selectable]


class RuleForm(forms.Form):
    """Conditions of a rule, and the number of earlier runs to apply it to."""

    title = forms.CharField(
        label="Name", max_length=200, required=False, help_text="Leave it empty for a name made from the other fields."
    )
    pipeline = forms.CharField(
        label="Pipeline", max_length=500, required=False, help_text="A name; * matches any text. Empty: any pipeline."
    )
    run = forms.CharField(
        label="Run", max_length=500, required=False, help_text="The run's name, with the same pattern."
    )
    experiment = forms.CharField(label="Experiment", max_length=200, required=False, help_text="The experiment's id.")
    tag = forms.CharField(
        label="Tag", max_length=40, required=False, help_text="A tag that the run must have when it ends."
    )
    state = forms.ChoiceField(label="Ended as", choices=_STATES, initial=State.SUCCEEDED.value)
    last = forms.IntegerField(
        label="Earlier runs",
        min_value=0,
        max_value=MOST_EARLIER,
        initial=0,
        help_text="Also apply the rule to this many earlier runs; 0: only to runs that end from now on.",
    )

    def conditions(self) -> RunConditions:
        """Returns the conditions; requires a valid form."""
        values = self.cleaned_data
        return RunConditions(
            pipeline=values["pipeline"],
            name=values["run"],
            experiment_id=values["experiment"],
            tag=values["tag"],
            state=State.by_value(values["state"]) or State.SUCCEEDED,
        )


class EarlierForm(forms.Form):
    """The number of earlier runs to apply a rule to."""

    last = forms.IntegerField(label="Last runs", min_value=1, max_value=MOST_EARLIER, initial=10)
