"""The form of a proposed type: the parts of its header, and its code."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from apps.promotion.files import TypeDraft, file_write
from apps.visualizations.argument_fields import LinesField
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import VisualizationsError


class _Indented(json.JSONEncoder):
    """Encodes JSON on several lines, for people."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2, "sort_keys": False, "ensure_ascii": False})


class ProposalForm(forms.Form):
    """The parts of a type's file. `file` composes the file, which the service validates."""

    key = forms.CharField(max_length=40, help_text="Lower case letters, digits and _. The API names the type by it.")
    title = forms.CharField(max_length=80)
    description = forms.CharField(max_length=400, help_text="One sentence: what it shows.")
    environment = forms.ChoiceField()
    artifact_types = LinesField(
        required=False,
        label="Artifact types",
        help_text="One per line, such as system.Dataset. The type is offered for these.",
    )
    patterns = LinesField(required=False, label="File names", help_text="One per line, such as *.csv.")
    needs_source = forms.BooleanField(required=False, label="Needs a source")
    reads_tables = forms.BooleanField(
        required=False, label="Reads tables: adds delimiter, header row, decimal mark and encoding to its arguments"
    )
    arguments = forms.JSONField(
        required=False,
        encoder=_Indented,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="JSON Schema of each argument, by its name.",
    )
    required = LinesField(required=False, label="Required arguments", help_text="One name per line.")
    figures = forms.JSONField(
        required=False,
        label="Key figures",
        encoder=_Indented,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text='By name, such as {"auc": {"better": "higher"}}.',
    )
    code = forms.CharField(
        strip=False, label="Python code", widget=forms.Textarea(attrs={"rows": 20, "spellcheck": "false"})
    )

    def __init__(self, data: Any = None, *, draft: TypeDraft) -> None:
        super().__init__(data, initial=_initial(draft))
        field = self.fields["environment"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (declared above)
        field.choices = [(key, key) for key in environments().get_keys()]

    def _clean_object(self, name: str) -> dict[str, Any]:
        value = self.cleaned_data[name] or {}
        if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
            raise forms.ValidationError('Write an object of objects, such as {"column": {"type": "string"}}.')
        return value

    def clean_arguments(self) -> dict[str, Any]:
        """Rejects values other than an object of objects."""
        return self._clean_object("arguments")

    def clean_figures(self) -> dict[str, Any]:
        """Rejects values other than an object of objects."""
        return self._clean_object("figures")

    def file(self) -> str:
        """Returns the type's file; requires a valid form."""
        values: dict[str, Any] = dict(self.cleaned_data)
        for name in ("artifact_types", "patterns", "required"):
            values[name] = tuple(values[name] or ())
        return file_write(TypeDraft(**values))

    def add_service_error(self, error: VisualizationsError) -> None:
        """Shows a service's error at the fields that it names, else above the form."""
        fields = getattr(error, "fields", {})
        for name, text in fields.items():
            self.add_error(name if name in self.fields else None, text)
        if not fields:
            self.add_error(None, str(error))


def _initial(draft: TypeDraft) -> dict[str, Any]:
    names = ("key", "title", "description", "environment", "needs_source", "reads_tables", "code")
    lists = ("artifact_types", "patterns", "required")
    return {
        **{name: getattr(draft, name) for name in names},
        **{name: list(getattr(draft, name)) for name in lists},
        **{name: dict(getattr(draft, name)) for name in ("arguments", "figures")},
    }
