"""Forms: list filters, new runs, uploads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from apps.runs.entities import Parameter

PARAMETER_PREFIX: Final = "param-"
_LARGEST_PACKAGE_BYTES: Final = 32 * 1024**2
_LONGEST_JSON: Final = 1024**2
_ONE_LINE: Final = 60
_MOST_LINES: Final = 16
_KIND_HINTS: Final = {
    "integer": "Whole number.",
    "number": "Number.",
    "boolean": "Yes or no.",
    "string": "Text.",
    "list": "List, as JSON.",
    "struct": "Object, as JSON.",
}


class _JsonField(forms.CharField):
    """JSON of one type; keeps invalid input as it was typed."""

    def __init__(self, kind: type[list[Any] | dict[str, Any]], **options: Any) -> None:
        self._kind = kind
        widget = forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"})
        super().__init__(widget=widget, max_length=_LONGEST_JSON, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            parsed = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(parsed, self._kind):
            wanted = "a list, such as [1, 2]" if self._kind is list else 'an object, such as {"key": 1}'
            raise ValidationError(f"This must be {wanted}.")
        return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


class _TextField(forms.CharField):
    """Verbatim text: a browser sends every line break as two characters, and a single-line input drops line breaks."""

    def __init__(self, original: str = "", **options: Any) -> None:
        self._original = original
        lines = _unified(original).count("\n") + 1
        widget = forms.Textarea(attrs={"rows": min(_MOST_LINES, lines)}) if lines > 1 else forms.TextInput()
        super().__init__(widget=widget, strip=False, **options)

    def to_python(self, value: Any) -> str:
        text = _unified(str(super().to_python(value)))
        return self._original if text == _unified(self._original) else text


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _PluginsField(_JsonField):
    """Settings of Kubeflow's plugins: one object per plugin name."""

    def __init__(self) -> None:
        example = '{"mlflow": {"experiment_name": "tips"}}'
        super().__init__(
            dict,
            label="Plugin settings",
            required=False,
            help_text=f"For plugins of this Kubeflow, as JSON, such as {example}. Empty: the server's own settings.",
        )

    def clean(self, value: Any) -> Any:
        """Rejects values that do not hold an object for each plugin."""
        settings = super().clean(value)
        wrong = [name for name, each in (settings or {}).items() if not isinstance(each, dict)]
        if wrong:
            raise ValidationError(f"The settings of {', '.join(wrong)} must be an object, such as {{}}.")
        return settings


class RunForm(forms.Form):
    """A new run: name, experiment, pipeline root, and one typed field per parameter of the pipeline.

    `parameter_values()` returns the values to start the run with; `originals` are the values of a run that is cloned.
    """

    name = forms.CharField(label="Run name", max_length=128)
    description = forms.CharField(required=False, max_length=1000)
    experiment_id = forms.ChoiceField(label="Experiment", required=False)
    new_experiment = forms.CharField(label="Or a new experiment", required=False, max_length=128)
    pipeline_root = forms.CharField(
        label="Pipeline root",
        required=False,
        max_length=1024,
        help_text="Where artifacts go, such as minio://mlpipeline/v2/artifacts. Empty: the pipeline's own.",
    )

    def __init__(
        self,
        *args: Any,
        parameters: Sequence[Parameter],
        experiments: Sequence[tuple[str, str]],
        originals: Mapping[str, Any] | None = None,
        has_plugins: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if has_plugins:
            self.fields["plugins_input"] = _PluginsField()
        self._parameters = tuple(parameters)
        choices = self.fields["experiment_id"]
        if isinstance(choices, forms.ChoiceField):
            choices.choices = [("", "Default"), *experiments]
        for parameter in self._parameters:
            self.fields[PARAMETER_PREFIX + parameter.name] = parameter_field(
                parameter, (originals or {}).get(parameter.name)
            )

    def parameter_fields(self) -> list[forms.BoundField]:
        """Returns the fields of the pipeline's own parameters."""
        return [self[PARAMETER_PREFIX + parameter.name] for parameter in self._parameters]

    def parameter_values(self) -> dict[str, Any]:
        """Returns JSON values by name; omits an empty parameter, so that its default applies."""
        values = {item.name: self.cleaned_data.get(PARAMETER_PREFIX + item.name) for item in self._parameters}
        typed = {item.name: item for item in self._parameters}
        return {
            name: value
            for name, value in values.items()
            if value is not None and (value != "" or _is_meant(typed[name], value))
        }


def _is_meant(parameter: Parameter, value: Any) -> bool:
    """An emptied text field of a parameter with a non-empty default means the empty text."""
    return parameter.kind == "string" and value == "" and bool(parameter.default)


def parameter_field(parameter: Parameter, original: Any = None) -> forms.Field:
    """Returns the form field for one parameter.

    Args:
        parameter: the pipeline's.
        original: the value of the run that is cloned; None for the default.
    """
    common: dict[str, Any] = {
        "label": parameter.name,
        "required": parameter.is_required,
        "help_text": " ".join(filter(None, [parameter.description, _KIND_HINTS[parameter.kind]])),
        "initial": parameter.default,
    }
    if parameter.kind == "integer":
        return forms.IntegerField(**common)
    if parameter.kind == "number":
        return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **common)
    if parameter.kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if parameter.kind in {"list", "struct"}:
        initial = None if parameter.default is None else json_text(parameter.default)
        return _JsonField(list if parameter.kind == "list" else dict, **{**common, "initial": initial})
    return _TextField(str(original if original is not None else parameter.default or ""), **common)


def json_text(value: Any) -> str:
    """Returns JSON for editing: on one line if it fits, else indented."""
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) <= _ONE_LINE else json.dumps(value, ensure_ascii=False, indent=2)


def initial_parameters(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a form's initial values from the parameters that another run was started with."""
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    return {
        PARAMETER_PREFIX + name: json_text(value) if kinds[name] in {"list", "struct"} else value
        for name, value in values.items()
        if name in kinds
    }


class PackageForm(forms.Form):
    """The file of a compiled pipeline."""

    file = forms.FileField(
        label="Compiled pipeline", help_text="YAML, JSON or an archive of it, as `kfp dsl compile` writes."
    )

    def clean_file(self) -> Any:
        """Rejects files that are empty or too large for a pipeline."""
        file = self.cleaned_data["file"]
        if file.size > _LARGEST_PACKAGE_BYTES:
            raise ValidationError("A compiled pipeline has at most 32 MB.")
        return file


class UploadForm(PackageForm):
    """A compiled pipeline that becomes a new pipeline."""

    name = forms.CharField(label="Pipeline name", max_length=128, required=False, help_text="Empty: the file's name.")
    description = forms.CharField(required=False, max_length=1000)

    def clean(self) -> dict[str, Any]:
        """Uses the file's name if no name was given."""
        cleaned: dict[str, Any] = super().clean() or {}
        file = cleaned.get("file")
        if file is not None and not cleaned.get("name"):
            cleaned["name"] = file.name.partition(".")[0]
        return cleaned


class VersionForm(PackageForm):
    """A compiled pipeline that becomes the next version of an existing one."""

    name = forms.CharField(label="Version name", max_length=128, help_text="Each version has its own.")
