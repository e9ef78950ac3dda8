"""Template tags of the run pages: a run's tags, a schedule as text."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.runs import selectors
from apps.runs.entities import RecurringRun, Run
from apps.runs.gateway.endpoints import endpoint
from apps.ui.formats import duration

register = template.Library()


@register.inclusion_tag("runs/_run_tags.html", takes_context=True)
def run_tags(context: Any, run: Run) -> dict[str, Any]:
    """Renders a run's tags, with forms to add and remove them for people with the permission."""
    caller = caller_of(context["request"])
    key = endpoint(caller.endpoint_key).key
    return {
        "run": run,
        "tags": selectors.run_tags(caller, key, run),
        "may_change": caller.may(Right.CREATE),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def pipeline_url(source: Run | RecurringRun) -> str:
    """Returns the URL of the version that a run or recurring run was made from, or of its pipeline."""
    if source.pipeline_version_id:
        return reverse("runs:version_detail", args=(source.pipeline_id, source.pipeline_version_id))
    return reverse("runs:pipeline_detail", args=(source.pipeline_id,))


@register.filter
def schedule(recurring: RecurringRun) -> str:
    """Returns when a recurring run starts runs, as text."""
    if recurring.cron:
        return f"cron {recurring.cron}"
    if recurring.interval_s:
        return f"every {duration(float(recurring.interval_s))}"
    return "not known"
