"""The pages of proposals: the lists, the form, and a proposal with its review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.promotion import decisions, selectors, services
from apps.promotion.contexts import entries_of, proposal_context, types_of
from apps.promotion.files import draft_of
from apps.promotion.forms import ProposalForm
from apps.promotion.models import Proposal
from apps.visualizations.exceptions import NotFoundError, VisualizationsError
from apps.visualizations.models import Render
from apps.visualizations.views.errors import service_errors_as_pages

_PAGE: Final = 50
_MOST_TYPES: Final = 200
_INVALID: Final = 422


def _propose(caller: Caller, proposal: Proposal, _values: Any) -> str:
    services.proposal_propose(caller, proposal)
    return "The proposal is in review. This version can no longer change; edit it to write a new one."


def _withdraw(caller: Caller, proposal: Proposal, _values: Any) -> str:
    services.proposal_withdraw(caller, proposal)
    return "It is no longer in review."


def _approve(caller: Caller, proposal: Proposal, values: Any) -> str:
    version = decisions.proposal_approve(caller, proposal, _number(values), values.get("comment", ""))
    return f"Approved: {version.title} is a type now, and the Creator offers it."


def _reject(caller: Caller, proposal: Proposal, values: Any) -> str:
    decisions.proposal_reject(caller, proposal, _number(values), values.get("comment", ""))
    return "Rejected. The author can read your comment here."


def _retire(caller: Caller, proposal: Proposal, _values: Any) -> str:
    decisions.proposal_retire(caller, proposal)
    return "The type is retired. Its results stay; no new ones are made."


_ACTIONS: Final[dict[str, Callable[[Caller, Proposal, Any], str]]] = {
    "propose": _propose,
    "withdraw": _withdraw,
    "approve": _approve,
    "reject": _reject,
    "retire": _retire,
}


def _number(values: Any) -> int:
    text = str(values.get("version", ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@require_safe
def proposal_list(request: HttpRequest) -> HttpResponse:
    """Lists the caller's proposals, those that await their decision, and the types made from proposals."""
    caller = caller_of(request)
    page = Paginator(selectors.proposals_own(caller), _PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "mine": entries_of(caller, page.object_list),
        "pending": entries_of(caller, selectors.proposals_pending(caller)[:_PAGE]),
        "decided": types_of(selectors.proposals_decided(caller)[:_MOST_TYPES]),
        "is_reviewer": caller.may(Right.APPROVE),
    }
    return render(request, "promotion/proposal_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_new(request: HttpRequest, render_id: UUID) -> HttpResponse:
    """Shows the form of a new proposal, filled in from a result's code, or saves it."""
    caller = caller_of(request)
    sample = _sample(caller, render_id)
    form = ProposalForm(request.POST or None, draft=services.draft_begin(caller, sample))

    def save() -> Proposal:
        return services.proposal_create(caller, sample, form.file())

    return _form_answer(request, form, save, {"sample": sample})


@require_http_methods(["GET", "HEAD", "POST"])
def proposal_edit(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Shows the form of a proposal's next version, or saves it."""
    caller, proposal = caller_of(request), _proposal(request, proposal_id)
    if not selectors.is_author(caller, proposal):
        raise PermissionDenied("Only its author may do this.")
    latest = selectors.version_get(caller, proposal)
    form = ProposalForm(request.POST or None, draft=draft_of(latest.file))

    def save() -> Proposal:
        services.proposal_save(caller, proposal, form.file())
        return proposal

    return _form_answer(request, form, save, {"proposal": proposal, "version": latest})


def _form_answer(
    request: HttpRequest, form: ProposalForm, save: Callable[[], Proposal], context: dict[str, Any]
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            with service_errors_as_pages():
                return redirect(save())
        except VisualizationsError as error:
            form.add_service_error(error)
    status = _INVALID if form.errors else 200
    return render(request, "promotion/proposal_form.html", {"form": form, **context}, status=status)


@require_safe
def proposal_detail(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Shows a version of a proposal: difference, form, sample and file, and the caller's possible actions."""
    return _detail(request, _proposal(request, proposal_id))


def _detail(request: HttpRequest, proposal: Proposal, *, error: str = "") -> HttpResponse:
    number = _number(request.GET) if "version" in request.GET else None
    with service_errors_as_pages():
        context = proposal_context(caller_of(request), proposal, number)
    typed = {"error": error, "comment": request.POST.get("comment", "")}
    return render(request, "promotion/proposal_detail.html", context | typed, status=_INVALID if error else 200)


@require_safe
def version_file(request: HttpRequest, proposal_id: UUID, number: int) -> HttpResponse:
    """Returns a version's file, ready for a folder of VIZPORTAL_TYPES_DIRS."""
    caller, proposal = caller_of(request), _proposal(request, proposal_id)
    with service_errors_as_pages():
        version = selectors.version_get(caller, proposal, number)
    response = HttpResponse(version.file, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{version.key}.py"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def proposal_action(request: HttpRequest, proposal_id: UUID, action: str) -> HttpResponse:
    """Proposes, withdraws, approves, rejects or retires; on an error, the page shows it and keeps the comment."""
    if action not in _ACTIONS:
        raise Http404(f"A proposal has no action {action}.")
    proposal = _proposal(request, proposal_id)
    try:
        with service_errors_as_pages():
            messages.success(request, _ACTIONS[action](caller_of(request), proposal, request.POST))
    except VisualizationsError as error:
        return _detail(request, _proposal(request, proposal_id), error=str(error))
    return HttpResponseRedirect(proposal.get_absolute_url())


def _proposal(request: HttpRequest, proposal_id: UUID) -> Proposal:
    with service_errors_as_pages():
        return selectors.proposal_get(caller_of(request), proposal_id)


def _sample(caller: Caller, render_id: UUID) -> Render:
    try:
        return services.sample_get(caller, render_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except VisualizationsError as error:
        raise PermissionDenied(str(error)) from error
