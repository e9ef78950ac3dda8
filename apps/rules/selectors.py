"""Read access to rules: callers see their own; those who may see everything see all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.rules.conditions import RunConditions
from apps.rules.models import Rule, RuleRun, RuleRunState
from apps.runs.entities import State
from apps.visualizations.exceptions import NotFoundError


def rules_visible(caller: Caller) -> QuerySet[Rule]:
    """Returns the rules that a caller may see and change, newest first."""
    rows = Rule.objects.select_related("owner", "recipe")
    if not caller.may(Right.VIEW):
        return rows.none()
    return rows if caller.sees_everything else rows.filter(owner=caller.user_id)


def rule_get(caller: Caller, rule_id: UUID | str) -> Rule:
    """Returns a rule.

    Raises:
        NotFoundError: there is none, or it belongs to somebody else.
    """
    found = rules_visible(caller).filter(id=rule_id).first()
    if found is None:
        raise NotFoundError("There is no such rule.")
    return found


def rule_runs(caller: Caller, rule: Rule) -> QuerySet[RuleRun]:
    """Returns the runs that a rule has found, newest first, without those that ended before its creation."""
    rows = RuleRun.objects.filter(rule__in=rules_visible(caller).values("id"), rule=rule)
    return rows.exclude(state=RuleRunState.SKIPPED, message="").select_related("render__visualization")


def rule_counts(caller: Caller, rule: Rule) -> dict[str, int]:
    """Returns the number of a rule's runs in each state; states without runs are left out."""
    rows = rule_runs(caller, rule).order_by().values_list("state").annotate(count=Count("id"))
    return dict(rows)


def conditions_of(rule: Rule) -> RunConditions:
    """Returns a rule's conditions."""
    return RunConditions(
        pipeline=rule.pipeline_pattern,
        name=rule.run_pattern,
        experiment_id=rule.experiment_id,
        tag=rule.tag,
        state=State.by_value(rule.run_state) or State.SUCCEEDED,
    )


def conditions_columns(conditions: RunConditions) -> dict[str, Any]:
    """Returns a rule's columns for conditions."""
    return {
        "pipeline_pattern": conditions.pipeline,
        "run_pattern": conditions.name,
        "experiment_id": conditions.experiment_id,
        "tag": conditions.tag,
        "run_state": conditions.state.value,
    }
