"""The Visualization Creator's form: artifact, type, source, arguments (typed or as JSON), and code for CUSTOM."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from vizkit.types import arguments
from vizkit.types.entities import CUSTOM_KEY, VisualizationType

from apps.runs.entities import Artifact, Step
from apps.visualizations import selectors
from apps.visualizations.argument_fields import ArgumentsForm, arguments_form
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import CustomOffError, InvalidRequestError, VisualizationsError
from apps.visualizations.services.code import MAX_CODE_CHARS
from apps.visualizations.services.hosts import environment_available
from apps.visualizations.services.requests import MAX_TITLE_CHARS, VisualizationRequest, options_of

_ARGUMENT = "arguments."


def types_for(artifact: Artifact | None) -> list[VisualizationType]:
    """Returns the types to choose from, those that fit the artifact first; CUSTOM only if the server allows it."""
    kinds = selectors.type_order(artifact) if artifact else selectors.type_list()
    return [
        kind
        for kind in kinds
        if not kind.reads_results and (settings.ALLOW_CUSTOM_VISUALIZATIONS or not kind.is_custom)
    ]


def artifact_choose(step: Step, name: str = "") -> Artifact | None:
    """Returns the artifact with this name or id; without one, the output with data that the most types fit."""
    kinds = [kind for kind in selectors.type_list() if not kind.needs_sandbox]

    def rank(artifact: Artifact) -> tuple[bool, bool, int, str]:
        fit = sum(selectors.type_fit(kind, artifact) for kind in kinds)
        return artifact.direction != "output", not artifact.uri, -fit, artifact.name

    ordered = sorted(step.artifacts, key=rank)
    return next((each for each in ordered if not name or name in {each.name, each.id}), None)


def artifact_value(step: Step, artifact: Artifact | None) -> str:
    """Returns the artifact's value in the form: its name, or its id if several artifacts of the step share the name."""
    if artifact is None:
        return ""
    is_unique = sum(each.name == artifact.name for each in step.artifacts) == 1
    return artifact.name if is_unique else artifact.id


def _environments() -> list[str]:
    """Returns the environments that are available now."""
    return [key for key in environments().get_keys() if environment_available(key)]


def type_choose(
    kinds: Sequence[VisualizationType], key: str = "", artifact: Artifact | None = None
) -> VisualizationType | None:
    """Returns the type with this key (case ignored), else the first; None if none is chosen and none fits."""
    chosen = next((kind for kind in kinds if kind.key == key.lower()), None)
    if chosen is not None or not kinds:
        return chosen
    return kinds[0] if artifact is None or selectors.type_suggestions(artifact) else None


class VisualizationForm(forms.Form):
    """The Creator's form. `kind` is the chosen type, `arguments` the form of its typed arguments.

    Args:
        step: its artifacts are offered.
        data: the request's POST data; None for an unbound form.
        initial: initial values, including `artifact` and `type` chosen by a link; `arguments` is a dict.
    """

    artifact = forms.ChoiceField(required=False)
    type = forms.ChoiceField(error_messages={"required": "Choose a type."})
    source = forms.CharField(required=False, max_length=2048, help_text="A path or URI. Filled in from the artifact.")
    title = forms.CharField(required=False, max_length=MAX_TITLE_CHARS)
    timeout_s = forms.FloatField(required=False, min_value=1, label="Time limit (seconds)")
    arguments_view = forms.ChoiceField(required=False, choices=[("fields", "Fields"), ("json", "JSON")])
    arguments_json = forms.CharField(required=False, widget=forms.Textarea, label="Arguments as JSON", strip=False)
    code = forms.CharField(required=False, widget=forms.Textarea, label="Python code", strip=False)
    environment = forms.ChoiceField(required=False, label="Environment")
    sample = forms.BooleanField(required=False, label="Try on a sample")
    force = forms.BooleanField(required=False, label="Render again even if a saved result exists")
    edited = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)

    def __init__(self, step: Step, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        given = data if data is not None else initial or {}
        self.step = step
        self.chosen_artifact = artifact_choose(step, given.get("artifact") or "")
        self.kinds = types_for(self.chosen_artifact)
        self.kind = type_choose(self.kinds, given.get("type") or "", self.chosen_artifact)
        chosen = {"artifact": artifact_value(step, self.chosen_artifact)}
        super().__init__(data, initial=self._initial() | (initial or {}) | chosen)
        self._set_choices()
        self.arguments: ArgumentsForm | None = None
        if self.kind is not None:
            self.arguments = arguments_form(self.kind, data, initial=(initial or {}).get("arguments"))

    def _initial(self) -> dict[str, Any]:
        artifact, kind = self.chosen_artifact, self.kind
        return {
            "type": kind.key if kind else "",
            "source": artifact.uri if artifact else "",
            "timeout_s": settings.KERNEL_TIMEOUT,
            "arguments_view": "fields",
            "arguments_json": json.dumps(self._defaults(), indent=2),
            "code": kind.code if kind and kind.is_custom else "",
        }

    def _defaults(self) -> dict[str, Any]:
        properties = self.kind.schema.get("properties", {}) if self.kind else {}
        return {name: rule["default"] for name, rule in properties.items() if "default" in rule}

    def _set_choices(self) -> None:
        self._field("artifact").choices = [("", "(none)"), *self._artifact_choices().items()]
        self._field("type").choices = [(kind.key, kind.title) for kind in self.kinds]
        if CUSTOM_KEY in str(self.data.get("type", "")).lower():
            # CUSTOM is not a choice where the server forbids it; say that instead of "invalid choice".
            self._field("type").error_messages["invalid_choice"] = str(CustomOffError())
        self.fields["timeout_s"].widget.attrs["max"] = settings.KERNEL_TIMEOUT
        self.fields["code"].widget.attrs["maxlength"] = MAX_CODE_CHARS
        self._field("environment").choices = [("", "(as the code says)"), *((key, key) for key in _environments())]
        if self.kind is None or not self.kind.is_custom:
            del self.fields["code"], self.fields["environment"]

    def _artifact_choices(self) -> dict[str, str]:
        choices = {}
        for each in self.step.artifacts:
            value = artifact_value(self.step, each)
            facts = [each.type.removeprefix("system."), *([each.id] if value == each.id else [])]
            choices[value] = f"{each.name} ({', '.join(facts)})"
        return choices

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (declared above)
        return field

    def clean_arguments_json(self) -> str:
        """Rejects text that is not a JSON object, if the JSON view is active."""
        text = str(self.cleaned_data["arguments_json"])
        if self.data.get("arguments_view") == "json":
            try:
                arguments.parse(text)
            except arguments.ArgumentsError as error:
                raise forms.ValidationError(str(error), code="invalid") from error
        return text

    def is_valid(self) -> bool:
        """Whether the form is valid, including the typed arguments if that view is active."""
        is_own_valid = super().is_valid()
        uses_fields = self.arguments is not None and self.data.get("arguments_view") != "json"
        are_fields_valid = not uses_fields or (self.arguments is not None and self.arguments.is_valid())
        return is_own_valid and are_fields_valid

    def to_request(self, run_id: str) -> VisualizationRequest:
        """Returns the request; requires a valid form."""
        values = self.cleaned_data
        return VisualizationRequest(
            type_key=values["type"],
            run_id=run_id,
            step_id=self.step.id,
            artifact_name=values["artifact"],
            source=self._source(values["source"].strip()),
            arguments=self._arguments(),
            code=values.get("code", ""),
            title=values["title"],
            options=options_of(values),
            force=values["force"],
            is_sample=values["sample"],
            environment=values.get("environment", ""),
            edited=values["edited"],
        )

    def _source(self, text: str) -> str:
        """Returns the source, or "" if it is just the chosen artifact's own URI."""
        chosen = self.chosen_artifact
        return "" if chosen and self.cleaned_data["artifact"] and text == chosen.uri else text

    def _arguments(self) -> dict[str, Any]:
        if self.cleaned_data["arguments_view"] == "json":
            return arguments.parse(self.cleaned_data["arguments_json"])
        return self.arguments.values() if self.arguments else {}

    def add_service_error(self, error: VisualizationsError) -> None:
        """Shows a service's error at the fields that it names, else above the form."""
        fields = error.fields if isinstance(error, InvalidRequestError) else {}
        for name, text in fields.items():
            self._add(name, text)
        if not fields:
            self.add_error(None, str(error))

    def _add(self, name: str, text: str) -> None:
        argument = name.removeprefix(_ARGUMENT)
        if name.startswith(_ARGUMENT) and self.arguments and argument in self.arguments.fields:
            is_shown = self.cleaned_data.get("arguments_view") != "json"
            if is_shown:
                self.arguments.add_error(argument, text)
            else:
                self.add_error("arguments_json", f"{argument}: {text}")
        elif name in self.fields:
            self.add_error(name, text)
        else:
            self.add_error("arguments_json" if name.startswith("arguments") else None, text)
