"""Template filters of reports."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from apps.runs.previews.texts import markdown

register = template.Library()


@register.filter
def report_markdown(text: str) -> SafeString:
    """Returns Markdown as HTML without scripts, styles or external resources."""
    return mark_safe(markdown(text, first_heading=2))  # noqa: S308  (nh3 has cleaned it)
