"""The design page."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.ui.states import ShownState


@require_safe
def design(request: HttpRequest, states: Mapping[str, ShownState]) -> HttpResponse:
    """Shows every component in every state; `states` has every state of the portal by its value."""
    return render(request, "ui/design.html", {"states": states, "rows": range(3)})
