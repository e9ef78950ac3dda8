"""What pages of visualizations show of approvals."""

from __future__ import annotations

from django import template

from apps.promotion import selectors
from apps.promotion.models import Version
from apps.visualizations.models import Render

register = template.Library()


@register.simple_tag
def approval(render: Render) -> Version | None:
    """Returns the approved version that a render was made of; None where its type is a file of the server's."""
    return selectors.approval_of(render)
