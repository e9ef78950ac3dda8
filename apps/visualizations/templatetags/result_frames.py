"""Tags for pages that supply the libraries of results in frames."""

from __future__ import annotations

from django import template
from django.conf import settings
from vizkit import drawings

from apps.visualizations.library_handover import FROM_PARENT, PARAMETER

register = template.Library()


@register.filter
def in_frame(content_url: str) -> str:
    """Returns a result's address for a frame whose page supplies its libraries."""
    return f"{content_url}?{PARAMETER}={FROM_PARENT}"


@register.simple_tag
def chart_libraries() -> str:
    """Returns the addresses of chart libraries, which a page may prefetch while a render runs."""
    return " ".join(drawings.library_urls())


@register.simple_tag
def library_origin() -> str:
    """Returns the origin that serves libraries; "" for the page's own."""
    return str(settings.VIZPORTAL_RESULTS_ORIGIN)
