"""The pages of the queue: running and waiting renders, and statistics for administrators."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.queues import selectors, services
from apps.queues.statistics import MOST_SAMPLED, PERIODS, statistics_read
from apps.visualizations.exceptions import NotAllowedError, NotFoundError, VisualizationsError
from apps.visualizations.selectors import render_get
from apps.visualizations.services import cancellation
from apps.visualizations.views.errors import service_errors_as_pages

_USUAL_DAYS = 7


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Shows running and waiting renders, in the order of turns."""
    caller = caller_of(request)
    context = {
        "queues": selectors.queue_view(caller),
        "pauses": selectors.pause_list(),
        "environments": selectors.queue_environments(),
        "may_administer": caller.may(Right.ADMINISTER),
    }
    return render(request, "queues/queue.html", context)


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Pauses a queue, or all."""
    environment = request.POST.get("environment", "")
    try:
        with service_errors_as_pages():
            services.queue_pause(caller_of(request), environment, request.POST.get("reason", ""))
    except VisualizationsError as error:
        messages.error(request, str(error))
        return redirect("queues:queue")
    still = selectors.running_count(environment)
    messages.success(request, f"Paused. {still} still {'runs' if still == 1 else 'run'}." if still else "Paused.")
    return redirect("queues:queue")


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Ends a pause."""
    with service_errors_as_pages():
        if services.queue_resume(caller_of(request), request.POST.get("environment", "")):
            messages.success(request, "Resumed: workers take renders again within seconds.")
    return redirect("queues:queue")


@require_POST
def cancel(request: HttpRequest, render_id: UUID) -> HttpResponse:
    """Cancels a queued or running render, and returns to the queue."""
    caller = caller_of(request)
    try:
        cancellation.render_cancel(caller, render_get(caller, render_id))
    except (NotAllowedError, NotFoundError) as error:
        raise Http404(str(error)) from error
    return redirect("queues:queue")


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Shows administrators statistics of renders and of storage."""
    text = request.GET.get("days", "")
    days = int(text) if text.isdecimal() and int(text) in PERIODS else _USUAL_DAYS
    with service_errors_as_pages():
        found = statistics_read(caller_of(request), days)
    context = {"statistics": found, "days": days, "periods": PERIODS, "most_sampled": MOST_SAMPLED}
    return render(request, "queues/statistics.html", context)
