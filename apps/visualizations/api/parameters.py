"""Query parameters of the API that a form declares, as the OpenAPI description has them."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.runs.filter_fields import Filter


def form_parameters(form: type[forms.Form]) -> list[dict[str, Any]]:
    """Returns the parameters of the form's filters, those that the API takes."""
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
