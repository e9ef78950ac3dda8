"""The pages of rules: the list, the form of a new one, and a rule with its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.rules import selectors, services
from apps.rules.forms import EarlierForm, RuleForm
from apps.rules.models import Rule, RuleRunState
from apps.runs.exceptions import RunsError
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.models import Recipe
from apps.visualizations.selectors import recipe_get
from apps.visualizations.views.errors import service_errors_as_pages

_PAGE: Final = 50
_DEFAULT_TRIED: Final = 50


def _delete(caller: Caller, rule: Rule) -> str:
    services.rule_delete(caller, rule)
    return f"Deleted the rule {rule.name}; what it has rendered stays."


def _pause(caller: Caller, rule: Rule) -> str:
    services.rule_change(caller, rule, is_enabled=False)
    return "The rule is paused. Runs that end during the pause are rendered when you resume it."


def _resume(caller: Caller, rule: Rule) -> str:
    services.rule_change(caller, rule, is_enabled=True)
    return "The rule is on again."


def _cancel(caller: Caller, rule: Rule) -> str:
    return f"Cancelled for {services.rule_cancel(caller, rule)} runs."


_ACTIONS: Final[dict[str, Callable[[Caller, Rule], str]]] = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "delete": _delete,
}


@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    """Lists the caller's rules, newest first."""
    page = Paginator(selectors.rules_visible(caller_of(request)), _PAGE).get_page(request.GET.get("page"))
    return render(request, "rules/rule_list.html", {"page": page})


def rule_new(request: HttpRequest, recipe_id: UUID) -> HttpResponse:
    """Shows the form of a new rule, tries the rule on earlier runs, or creates it."""
    caller, recipe = caller_of(request), _recipe(request, recipe_id)
    caller.require(Right.CREATE)
    form = RuleForm(request.POST or None, initial={"pipeline": recipe.pipeline_name})
    context: dict[str, Any] = {"form": form, "recipe": recipe}
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("action") == "create":
                return redirect(_rule_make(request, caller, recipe, form))
            most = form.cleaned_data["last"] or _DEFAULT_TRIED
            context |= {"tried": services.rule_dry_run(caller, recipe, form.conditions(), most), "most": most}
        except (VisualizationsError, RunsError) as error:
            form.add_error(None, str(error))
    return render(request, "rules/rule_new.html", context, status=422 if form.errors else 200)


def _rule_make(request: HttpRequest, caller: Caller, recipe: Recipe, form: RuleForm) -> Rule:
    values = form.cleaned_data
    rule = services.rule_create(caller, recipe, form.conditions(), name=values["title"])
    messages.success(request, "The rule was created.")
    if values["last"]:
        try:
            services.rule_apply_to_last(caller, rule, values["last"])
        except (VisualizationsError, RunsError) as error:
            messages.error(request, f"It was not applied to earlier runs: {error}")
    return rule


@require_safe
def rule_detail(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Shows a rule, its progress, and its runs."""
    return render(request, "rules/rule_detail.html", _rule_context(request, _rule(request, rule_id)))


@require_POST
def rule_apply(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Applies a rule to earlier runs, or shows which ones would be rendered."""
    caller, rule = caller_of(request), _rule(request, rule_id)
    form = EarlierForm(request.POST)
    more: dict[str, Any] = {}
    if form.is_valid():
        last = form.cleaned_data["last"]
        try:
            with service_errors_as_pages():
                if request.POST.get("action") == "apply":
                    added = services.rule_apply_to_last(caller, rule, last)
                    messages.success(request, f"{added} runs will be rendered.")
                    return HttpResponseRedirect(rule.get_absolute_url())
                conditions = selectors.conditions_of(rule)
                more["tried"] = services.rule_dry_run(caller, rule.recipe, conditions, last, rule_id=rule.id)
        except (VisualizationsError, RunsError) as error:
            form.add_error(None, str(error))
    context = _rule_context(request, rule) | {"earlier": form} | more
    return render(request, "rules/rule_detail.html", context, status=422 if form.errors else 200)


@require_POST
def rule_action(request: HttpRequest, rule_id: UUID, action: str) -> HttpResponse:
    """Pauses, resumes or deletes a rule, or cancels the runs that it has yet to render."""
    if action not in _ACTIONS:
        raise Http404(f"A rule has no action {action}.")
    rule = _rule(request, rule_id)
    with service_errors_as_pages():
        messages.success(request, _ACTIONS[action](caller_of(request), rule))
    return redirect("rules:rule_list") if action == "delete" else HttpResponseRedirect(rule.get_absolute_url())


def _rule_context(request: HttpRequest, rule: Rule) -> dict[str, Any]:
    caller = caller_of(request)
    counts = selectors.rule_counts(caller, rule)
    open_states = (RuleRunState.PENDING, RuleRunState.RENDERING)
    still = sum(counts.get(state.value, 0) for state in open_states)
    asked = sum(count for state, count in counts.items() if state not in {"waiting", "skipped"})
    page = Paginator(selectors.rule_runs(caller, rule), _PAGE).get_page(request.GET.get("page"))
    return {
        "rule": rule,
        "recipe": rule.recipe,
        "page": page,
        "counts": [(RuleRunState.by_value(state), count) for state, count in counts.items()],
        "still": still,
        "asked": asked,
        "done": asked - still,
        "pending": counts.get("pending", 0),
        "earlier": EarlierForm(),
    }


def _rule(request: HttpRequest, rule_id: UUID) -> Rule:
    with service_errors_as_pages():
        return selectors.rule_get(caller_of(request), rule_id)


def _recipe(request: HttpRequest, recipe_id: UUID) -> Recipe:
    with service_errors_as_pages():
        return recipe_get(caller_of(request), recipe_id)
