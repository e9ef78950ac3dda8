"""What pages of visualizations show of approvals."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.promotion import selectors
from apps.promotion.differences import DiffLine
from apps.promotion.models import Version
from apps.visualizations.models import Render

register = template.Library()


@register.simple_tag
def approval(render: Render) -> Version | None:
    """Returns the approved version that a render was made of; None where its type is a file of the server's."""
    return selectors.approval_of(render)


@register.filter
def diff_text(lines: Iterable[DiffLine]) -> SafeString:
    """Returns a diff for a <pre>, where the template's own white space would show."""
    return format_html_join("", '<span class="line {}">{}\n</span>', ((line.css, line.text) for line in lines))
