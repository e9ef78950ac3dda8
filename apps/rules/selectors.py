"""Rules as a caller may see them: one's own. Who sees everything sees everybody's."""

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
    """Returns the rules that a caller may see and change, the newest first."""
    rows = Rule.objects.select_related("owner", "recipe")
    if not caller.may(Right.VIEW):
        return rows.none()
    return rows if caller.sees_everything else rows.filter(owner=caller.user_id)


def rule_get(caller: Caller, rule_id: UUID | str) -> Rule:
    """Returns one rule.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    found = rules_visible(caller).filter(id=rule_id).first()
    if found is None:
        raise NotFoundError("There is no such rule.")
    return found


def rule_runs(caller: Caller, rule: Rule) -> QuerySet[RuleRun]:
    """Returns the runs that a rule has met, the newest first, without those from before it."""
    rows = RuleRun.objects.filter(rule__in=rules_visible(caller).values("id"), rule=rule)
    return rows.exclude(state=RuleRunState.SKIPPED, message="").select_related("render__visualization")


def rule_counts(caller: Caller, rule: Rule) -> dict[str, int]:
    """Returns how many of a rule's runs are in each state; states without any are left out."""
    rows = rule_runs(caller, rule).order_by().values_list("state").annotate(count=Count("id"))
    return dict(rows)


def conditions_of(rule: Rule) -> RunConditions:
    """Returns which runs a rule is for."""
    return RunConditions(
        pipeline=rule.pipeline_pattern,
        name=rule.run_pattern,
        experiment_id=rule.experiment_id,
        tag=rule.tag,
        state=State.by_value(rule.run_state) or State.SUCCEEDED,
    )


def conditions_columns(conditions: RunConditions) -> dict[str, Any]:
    """Returns conditions as a rule's columns."""
    return {
        "pipeline_pattern": conditions.pipeline,
        "run_pattern": conditions.name,
        "experiment_id": conditions.experiment_id,
        "tag": conditions.tag,
        "run_state": conditions.state.value,
    }
