"""Addresses of the gallery with one filter changed."""

from __future__ import annotations

from typing import Any

from django import template

from apps.ui.templatetags.ui import address_changed

register = template.Library()


@register.simple_tag(takes_context=True)
def address_set(context: Any, name: str, value: str | None) -> str:
    """Returns this page's address with one parameter changed, at the first page; None removes the parameter."""
    return address_changed(context, {name: value, "page": None})
