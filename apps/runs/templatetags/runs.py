"""Template tags that only the pages of runs use: a run's tags, a schedule in words."""

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
    """Draws a run's tags, with forms to add and remove them for those who may."""
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
    """Returns the page of the version that a run or a schedule was made from, or of its pipeline."""
    if source.pipeline_version_id:
        return reverse("runs:version_detail", args=(source.pipeline_id, source.pipeline_version_id))
    return reverse("runs:pipeline_detail", args=(source.pipeline_id,))


@register.filter
def schedule(recurring: RecurringRun) -> str:
    """Returns when a schedule starts runs, in words."""
    if recurring.cron:
        return f"cron {recurring.cron}"
    if recurring.interval_s:
        return f"every {duration(float(recurring.interval_s))}"
    return "not known"
