"""Template tags that show approvals on pages of visualizations."""

from __future__ import annotations

from django import template

from apps.promotion import selectors
from apps.promotion.models import Version
from apps.visualizations.models import Render

register = template.Library()


@register.simple_tag
def approval(render: Render) -> Version | None:
    """Returns the approved version that a render used; None if its type has a file on the server."""
    return selectors.approval_of(render)
