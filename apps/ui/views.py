"""The design page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.ui.states import STATE_ICONS


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Shows every component in every state."""
    return render(request, "ui/design.html", {"states": STATE_ICONS, "rows": range(3)})
