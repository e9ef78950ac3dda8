"""Form fields generated from a type's argument schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from vizkit.types.entities import VisualizationType

_MAX_CHARS = 20_000
_NOTHING: Final[tuple[Any, ...]] = (None, "", [])


class LinesField(forms.CharField):
    """A list of texts, one per line; empty lines are ignored."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Returns the content of the text area."""
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Returns the list; None if the text area is empty."""
        lines = [line.strip() for line in str(value or "").splitlines()]
        return [line for line in lines if line] or None


def _kind(rule: Mapping[str, Any]) -> str:
    """Returns the JSON type of a rule; of several, the first that is not null."""
    kinds = rule.get("type", "string")
    return kinds if isinstance(kinds, str) else next((kind for kind in kinds if kind != "null"), "string")


def _text(rule: Mapping[str, Any]) -> tuple[type[forms.Field], dict[str, Any]]:
    return forms.CharField, {"max_length": rule.get("maxLength", _MAX_CHARS), "strip": False}


def _number(rule: Mapping[str, Any]) -> tuple[type[forms.Field], dict[str, Any]]:
    field = forms.IntegerField if _kind(rule) == "integer" else forms.FloatField
    return field, {"min_value": rule.get("minimum"), "max_value": rule.get("maximum")}


def _choice(rule: Mapping[str, Any], *, is_required: bool) -> tuple[type[forms.Field], dict[str, Any]]:
    # Forms offer the first of several types; only true and false are of two types in Python.
    values = {str(value): value for value in rule["enum"] if _kind(rule) == "boolean" or not isinstance(value, bool)}
    blank = [] if is_required or "default" in rule else [("", "(not set)")]
    choices = [*blank, *((text, text) for text in values)]
    return forms.TypedChoiceField, {"choices": choices, "coerce": values.__getitem__, "empty_value": None}


def _field_class(rule: Mapping[str, Any], *, is_required: bool) -> tuple[type[forms.Field], dict[str, Any]]:
    kind = _kind(rule)
    if "enum" in rule:
        return _choice(rule, is_required=is_required)
    if kind in {"integer", "number"}:
        return _number(rule)
    if kind == "boolean":
        return forms.BooleanField, {}
    if kind == "array" and _kind(rule.get("items", {})) == "string":
        return LinesField, {"max_length": _MAX_CHARS}
    return _text(rule) if kind == "string" else (forms.JSONField, {})


def _help(rule: Mapping[str, Any]) -> str:
    examples = ", ".join(str(example) for example in rule.get("examples", [])[:3])
    parts = [str(rule.get("description", "")).strip(), f"For example: {examples}" if examples else ""]
    return " ".join(part for part in parts if part)


def argument_field(name: str, rule: Mapping[str, Any], *, is_required: bool) -> forms.Field:
    """Returns the field for one argument; an argument with a default may be left empty."""
    field_class, options = _field_class(rule, is_required=is_required)
    is_needed = is_required and "default" not in rule and field_class is not forms.BooleanField
    return field_class(
        label=str(rule.get("title") or name.replace("_", " ").capitalize()),
        help_text=_help(rule),
        initial=rule.get("default"),
        required=is_needed,
        **options,
    )


class ArgumentsForm(forms.Form):
    """The arguments of a type as typed fields; created by `arguments_form`."""

    @property
    def set_fields(self) -> list[forms.BoundField]:
        """Fields to show at once: required ones, ones that differ from their default, and ones with errors."""
        return [field for field in self if not self._is_default(field)]

    @property
    def default_fields(self) -> list[forms.BoundField]:
        """Fields that have their default value."""
        return [field for field in self if self._is_default(field)]

    def _is_default(self, field: forms.BoundField) -> bool:
        if field.field.required or self.has_error(field.name):
            return False
        default, value = field.field.initial, field.value()
        if value in _NOTHING:
            return default in _NOTHING
        return not field.field.has_changed(default, value)

    def values(self) -> dict[str, Any]:
        """Returns the arguments that were filled in, as JSON values; requires a valid form."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def arguments_form(
    kind: VisualizationType,
    data: Any = None,
    *,
    initial: Mapping[str, Any] | None = None,
    prefix: str = "arguments",
) -> ArgumentsForm:
    """Returns the form of a type's arguments, in the order of its schema.

    Args:
        data: the request's POST data; None for an unbound form.
        initial: values to start with, instead of the defaults.
    """
    form = ArgumentsForm(data, initial=dict(initial or {}), prefix=prefix)
    required = set(kind.schema.get("required", ()))
    for name, rule in kind.schema.get("properties", {}).items():
        form.fields[name] = argument_field(name, rule, is_required=name in required)
    return form
