"""Query parameters that the API takes from a form, for the OpenAPI description."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.runs.filter_fields import Filter


def form_parameters(form: type[forms.Form]) -> list[dict[str, Any]]:
    """Returns the OpenAPI parameters of those filters of a form that the API accepts."""
    return [
        {
            "in": "query",
            "name": field.parameter,
            "required": False,
            "description": str(field.help_text or field.label),
            "schema": _schema(field),
        }
        for field in form.base_fields.values()
        if isinstance(field, Filter) and field.is_in_api
    ]


def _schema(field: Filter) -> dict[str, Any]:
    if isinstance(field, forms.MultipleChoiceField):
        return {"type": "array", "items": {"type": "string", "enum": [str(key) for key in field.labels if key]}}
    if isinstance(field, forms.ChoiceField):
        return {"type": "string", "enum": [str(key) for key in field.labels if key]}
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    return {"type": "string", "format": "date"} if isinstance(field, forms.DateField) else {"type": "string"}
