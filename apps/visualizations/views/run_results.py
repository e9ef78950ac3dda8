"""The saved visualizations of all steps of a run: a part of the run's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.accounts.caller import caller_of
from apps.runs.gateway.endpoints import endpoint
from apps.ui.parts import is_fragment
from apps.visualizations import contexts, selectors

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

_SHOWN: Final = 20


@require_safe
def run_results(request: HttpRequest, run_id: str) -> HttpResponse:
    """Lists a run's visualizations, newest first, without asking Kubeflow; on its own it redirects to the gallery."""
    if not is_fragment(request):
        return redirect(f"{reverse('visualizations:gallery')}?{urlencode({'q': run_id})}")
    caller = caller_of(request)
    found = selectors.visualization_list(caller, run_id=run_id)
    found = found.filter(endpoint_key=endpoint(caller.endpoint_key).key, latest__isnull=False)
    shown = list(found[: _SHOWN + 1])
    context = {
        "run_id": run_id,
        "items": [(each, contexts.type_title(each.type_key)) for each in shown[:_SHOWN]],
        "has_more": len(shown) > _SHOWN,
    }
    return render_page(request, "visualizations/run_results.html", context)
