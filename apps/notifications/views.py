"""The pages of alerts: the list, the form of a new one, and an alert with its messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.caller import Caller, caller_of
from apps.notifications import selectors, services
from apps.notifications.addresses import email_is_set_up
from apps.notifications.definitions import condition_text, definition_of
from apps.notifications.forms import AlertForm
from apps.notifications.models import OPEN_STATES, Alert, AlertEvent
from apps.visualizations.exceptions import InvalidRequestError, VisualizationsError
from apps.visualizations.models import Recipe
from apps.visualizations.selectors import recipe_get
from apps.visualizations.views.errors import service_errors_as_pages

_PAGE: Final = 50
_CHECKS: Final = 10
# The list reloads while a message is due within this time.
_SOON: Final = timedelta(minutes=1)


def _delete(caller: Caller, alert: Alert) -> str:
    services.alert_delete(caller, alert)
    return f"Deleted the alert {alert.name}."


def _pause(caller: Caller, alert: Alert) -> str:
    services.alert_change(caller, alert, is_enabled=False)
    return "The alert is paused. It sends nothing about renders that end during the pause."


def _resume(caller: Caller, alert: Alert) -> str:
    services.alert_change(caller, alert, is_enabled=True)
    return "The alert is on again."


def _test(caller: Caller, alert: Alert) -> str:
    count = services.alert_test(caller, alert)
    return f"A test is on its way to {count} target{'' if count == 1 else 's'}; it is listed below."


def _recovery_send(caller: Caller, alert: Alert) -> str:
    services.alert_change(caller, alert, sends_recovery=True)
    return "You get a message when it is over."


def _recovery_omit(caller: Caller, alert: Alert) -> str:
    services.alert_change(caller, alert, sends_recovery=False)
    return "Nothing is sent when it is over."


_ACTIONS: Final[dict[str, Callable[[Caller, Alert], str]]] = {
    "pause": _pause,
    "resume": _resume,
    "recovery": _recovery_send,
    "no-recovery": _recovery_omit,
    "test": _test,
    "delete": _delete,
}


@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    """Lists the caller's alerts, newest first."""
    page = Paginator(selectors.alerts_visible(caller_of(request)), _PAGE).get_page(request.GET.get("page"))
    rows = [(alert, condition_text(definition_of(alert))) for alert in page]
    return render(request, "notifications/alert_list.html", {"page": page, "rows": rows})


@never_cache
def alert_new(request: HttpRequest, recipe_id: UUID) -> HttpResponse:
    """Shows the form of a new alert, or creates it. Only this response contains a webhook's secret."""
    caller, recipe = caller_of(request), _recipe(request, recipe_id)
    form = AlertForm(
        request.POST or None,
        initial={"email": caller.user.email, "rule": request.GET.get("rule", "")},
        figures=selectors.series_figures(caller, recipe),
        rules=selectors.series_rules(caller, recipe),
        has_email=email_is_set_up(),
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.alert_create(
                caller,
                recipe,
                form.definition(),
                form.targets(),
                rule=form.chosen_rule(),
                name=form.cleaned_data["title"],
                sends_recovery=form.cleaned_data["recovery"],
            )
        except VisualizationsError as error:
            _errors_add(form, error)
        else:
            messages.success(request, "The alert is on.")
            if not made.secrets:
                return redirect(made.alert)
            shown = [made.secrets[target.pk] for target in made.alert.targets.all() if target.pk in made.secrets]
            return render(request, "notifications/alert_made.html", {"alert": made.alert, "secrets": shown}, status=201)
    context = {"form": form, "recipe": recipe, "has_email": "email" in form.fields}
    return render(request, "notifications/alert_new.html", context, status=422 if form.errors else 200)


@require_safe
def alert_detail(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Shows an alert, its latest checks, and its messages."""
    caller, alert = caller_of(request), _alert(request, alert_id)
    page = Paginator(selectors.alert_deliveries(caller, alert), _PAGE).get_page(request.GET.get("page"))
    context = {
        "alert": alert,
        "condition": condition_text(definition_of(alert)),
        "has_end": AlertEvent(alert.event).has_end,
        "checks": selectors.alert_checks(caller, alert)[:_CHECKS],
        "page": page,
        "is_open": any(row.state in OPEN_STATES and row.due_at < timezone.now() + _SOON for row in page),
    }
    return render(request, "notifications/alert_detail.html", context)


@require_POST
def alert_action(request: HttpRequest, alert_id: UUID, action: str) -> HttpResponse:
    """Pauses, resumes, tests or deletes an alert, or switches its recovery messages on or off."""
    if action not in _ACTIONS:
        raise Http404(f"An alert has no action {action}.")
    alert = _alert(request, alert_id)
    try:
        with service_errors_as_pages():
            messages.success(request, _ACTIONS[action](caller_of(request), alert))
    except InvalidRequestError as error:
        messages.error(request, str(error))
    return redirect("notifications:alert_list") if action == "delete" else redirect(alert)


def _errors_add(form: forms.Form, error: VisualizationsError) -> None:
    fields = error.fields if isinstance(error, InvalidRequestError) else {}
    known = {name: text for name, text in fields.items() if name in form.fields}
    for name, text in known.items():
        form.add_error(name, text)
    if not known:
        form.add_error(None, str(error))


def _alert(request: HttpRequest, alert_id: UUID) -> Alert:
    with service_errors_as_pages():
        return selectors.alert_get(caller_of(request), alert_id)


def _recipe(request: HttpRequest, recipe_id: UUID) -> Recipe:
    with service_errors_as_pages():
        return recipe_get(caller_of(request), recipe_id)
