"""A step's panel: a fragment next to the graph for a script, else the run page with the panel open; and its log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from apps.accounts.caller import caller_of
from apps.runs import contexts, graph, log_lines, selectors
from apps.runs.entities import Attempt, RunDetails, Step
from apps.runs.exceptions import NotFoundError
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.gateway.logs import MOST_READ_BYTES
from apps.runs.views.errors import handle_kubeflow_errors
from apps.runs.views.runs import is_for

_NO_FILE_NAME: Final = re.compile(r"[\x00-\x1f\x7f/\\:]+")


@require_GET
@handle_kubeflow_errors
def step_detail(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Shows one step of a run; `?tab=` is artifacts, io, logs or details."""
    gateway = gateway_for(caller_of(request))
    details = gateway.run_details(run_id)
    step = selectors.step_get(details, step_id)
    chosen = request.GET.dict()
    tab = chosen.get("tab") or (
        "artifacts" if chosen.keys() & {"artifact", "type", "from"} else contexts.default_tab(step)
    )
    tab = tab if tab in contexts.TABS else "artifacts"
    panel = contexts.step_panel(details, step, tab=tab, chosen=chosen)
    if tab == "logs":
        panel |= _log_context(request, gateway, details, step)
    if is_for(request, "step-panel"):
        return render(request, "runs/_panel.html", panel)
    view = request.GET.get("view", "graph")
    view = view if view in contexts.VIEWS else "graph"
    page = contexts.run_page(details, view=view, selected=step, look=graph.GraphViewState.from_query(request.GET))
    return render(request, "runs/run_detail.html", {**page, **panel})


@require_GET
@handle_kubeflow_errors
def step_log(request: HttpRequest, run_id: str, step_id: str) -> HttpResponseBase:
    """Returns a step's log: to a polling script the lines since its last request, else the whole as a text file."""
    gateway = gateway_for(caller_of(request))
    details = gateway.run_details(run_id)
    step = selectors.step_get(details, step_id)
    if not is_for(request, "step-log"):
        return _download(request, gateway, details, step)
    context = _log_context(request, gateway, details, step)
    if not step.state.is_final:
        return render(request, "runs/_log_more.html", {"run": details.run, "step": step, **context})
    panel = contexts.step_panel(details, step, tab="logs")
    response = render(request, "runs/_panel.html", {**panel, **_log_context(request, gateway, details, step, after=0)})
    return reswap(retarget(response, "#step-panel"), "innerHTML")


def _log_context(
    request: HttpRequest, gateway: Gateway, details: RunDetails, step: Step, *, after: int | None = None
) -> dict[str, Any]:
    attempt = _attempt(request, step)
    state = attempt.state if attempt else step.state
    asked = request.GET.get("after", "")
    if after is None:
        after = int(asked) if asked.isdecimal() and len(asked) < 12 else 0
    log = gateway.step_log(details.run, step, attempt)
    is_live = not state.is_final
    page = log_lines.log_page(log, query=request.GET.get("q", ""), after=after, is_live=is_live)
    poll = {"after": page.last_number, "attempt": attempt.id if attempt else "", "q": page.query}
    return {
        "log": log,
        "log_page": page,
        "attempt": attempt,
        "is_log_live": is_live,
        "poll_query": urlencode({name: value for name, value in poll.items() if value != ""}),
    }


def _attempt(request: HttpRequest, step: Step) -> Attempt | None:
    """Returns the requested attempt; None for the step in its current state.

    Raises:
        NotFoundError: the step has no such attempt.
    """
    wanted = request.GET.get("attempt", "")
    found = next((attempt for attempt in step.attempts if attempt.id == wanted), None)
    if wanted and found is None:
        raise NotFoundError(f"{step.name} has no attempt {wanted[:100]}.")
    return found


def _download(request: HttpRequest, gateway: Gateway, details: RunDetails, step: Step) -> HttpResponseBase:
    attempt = _attempt(request, step)
    with ExitStack() as opened:
        stream = opened.enter_context(gateway.open_log(details.run, step, attempt))
        kept = opened.pop_all()
    chunks = _capped(stream.chunks)
    response = StreamingHttpResponse(chunks, content_type="text/plain; charset=utf-8")
    parts = [details.run.name, step.name, *([f"attempt {step.attempts.index(attempt) + 1}"] if attempt else [])]
    name = _NO_FILE_NAME.sub("_", " - ".join(parts))[:150] + ".log"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response._resource_closers.append(kept.close)  # type: ignore[attr-defined]  # noqa: SLF001  # as FileResponse does
    return response


def _capped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        yield chunk
        sent += len(chunk)
        if sent >= MOST_READ_BYTES:
            yield b"\n(The portal stopped here, after 256 MB.)\n"
            return
