"""Creates, tries, changes and deletes rules, applies them to earlier runs, and cancels their runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller, absent_caller
from apps.accounts.rights import Right
from apps.rules import selectors
from apps.rules.conditions import FoundRuns, RunConditions, runs_ended
from apps.rules.meeting import known_runs, runs_meet
from apps.rules.models import Rule, RuleRun, RuleRunState
from apps.runs.gateway import Gateway, gateway_for_absent
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError
from apps.visualizations.lines import line_clean
from apps.visualizations.models import Recipe, Render
from apps.visualizations.selectors import mean_duration_s
from apps.visualizations.services.rights import change_check, namespace_check, right_check

MOST_RULES: Final = 50
"""Maximum number of rules per owner."""
MOST_EARLIER: Final = 1000
"""Maximum number of earlier runs that a rule is applied to at once."""
_MOST_NAME_CHARS: Final = 200
_OPEN: Final = (RuleRunState.SKIPPED, RuleRunState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a rule would do with earlier runs.

    Attributes:
        rendered: number of found runs that the rule has already rendered, or is about to.
        duration_s: estimated seconds for the others, from the latest renders; None if unknown.
    """

    found: FoundRuns
    rendered: int
    duration_s: float | None


def rule_create(caller: Caller, recipe: Recipe, conditions: RunConditions, *, name: str = "", **limits: int) -> Rule:
    """Creates a rule for a recipe that the caller may see. It applies to runs that end from now on.

    Args:
        limits: `most_failures`, `most_waiting`.

    Raises:
        NotAllowedError: the caller is not a person, or may not create visualizations, or not run custom code.
        InvalidRequestError: too many rules, a name that is too long, or invalid conditions or limits.
        NotFoundError: the caller may not read the recipe's namespace.
        RunsError: Kubeflow cannot be queried on behalf of the caller, or does not answer.
    """
    _create_check(caller, recipe)
    _conditions_check(conditions)
    _count_check(caller)
    rule = Rule(
        name=line_clean(name, most=_MOST_NAME_CHARS, what="name") or _usual_name(recipe, conditions),
        recipe=recipe,
        owner=caller.owner,
        endpoint_key=recipe.endpoint_key,
        namespace=recipe.namespace,
        cursor=timezone.now(),
        **selectors.conditions_columns(conditions),
        **_limits_clean(limits),
    )
    gateway = gateway_of(rule)
    rule.cursor, known = known_runs(absent_caller(rule.owner), gateway, conditions)
    with transaction.atomic():
        rule.save(force_insert=True)
        runs_meet(rule, known, is_earlier=True)
        _record(caller, "rule.create", rule)
    return rule


def rule_change(
    caller: Caller, rule: Rule, *, is_enabled: bool | None = None, name: str | None = None, **limits: int
) -> None:
    """Pauses or resumes a rule, renames it, or sets its limits. Runs that end during a pause are rendered later.

    Raises:
        NotAllowedError: the caller is neither the owner, with the permission to create, nor an administrator.
        InvalidRequestError: the name or a limit is invalid.
    """
    change_check(caller, rule)
    values: dict[str, Any] = _limits_clean(limits)
    if name is not None:
        values["name"] = line_clean(name, most=_MOST_NAME_CHARS, what="name") or rule.name
    if is_enabled is not None:
        values |= {"is_enabled": is_enabled, "paused_because": "", "failures": 0}
    with transaction.atomic():
        Rule.objects.filter(id=rule.id).update(**values)
        _record(caller, "rule.change", rule, detail=", ".join(f"{key} {value}" for key, value in values.items()))
    rule.refresh_from_db()


def rule_delete(caller: Caller, rule: Rule) -> None:
    """Deletes a rule; its visualizations stay.

    Raises:
        NotAllowedError: see `rule_change`.
    """
    change_check(caller, rule)
    with transaction.atomic():
        _record(caller, "rule.delete", rule)
        rule.delete()


def rule_dry_run(
    caller: Caller, recipe: Recipe, conditions: RunConditions, most: int, *, rule_id: Any = None
) -> DryRun:
    """Finds the earlier runs that a rule would be applied to, without changing anything.

    Args:
        most: maximum number of runs, newest first.
        rule_id: id of the rule if it exists already.

    Raises:
        NotAllowedError, InvalidRequestError, NotFoundError, RunsError: see `rule_create`.
    """
    _create_check(caller, recipe)
    _conditions_check(conditions)
    gateway = gateway_for_absent(absent_caller(caller.owner), recipe.endpoint_key, recipe.namespace)
    found = runs_ended(absent_caller(caller.owner), gateway, conditions, _most_clean(most))
    ids = [run.id for run in found.runs]
    rendered = RuleRun.objects.filter(rule=rule_id, run_id__in=ids).exclude(state__in=_OPEN).count() if rule_id else 0
    mean_s = mean_duration_s(Render.objects.filter(visualization__recipe=recipe))
    turns = -(-(len(ids) - rendered) // settings.VIZPORTAL_WORKERS)
    return DryRun(found=found, rendered=rendered, duration_s=None if mean_s is None else round(turns * mean_s, 1))


def rule_apply_to_last(caller: Caller, rule: Rule, most: int) -> int:
    """Has the reconciler render the newest matching earlier runs; returns how many were added.

    Runs that the rule has already rendered, or is about to, are not rendered again.

    Raises:
        NotAllowedError: see `rule_change`.
        InvalidRequestError, RunsError: see `rule_create`.
    """
    change_check(caller, rule)
    owner = absent_caller(rule.owner)
    found = runs_ended(owner, gateway_of(rule), selectors.conditions_of(rule), _most_clean(most))
    with transaction.atomic():
        before = RuleRun.objects.filter(rule=rule, state=RuleRunState.PENDING).count()
        runs_meet(rule, found.runs)
        ids = [run.id for run in found.runs]
        again = RuleRun.objects.filter(rule=rule, run_id__in=ids, state__in=_OPEN)
        again.update(state=RuleRunState.PENDING, message="")
        added = RuleRun.objects.filter(rule=rule, state=RuleRunState.PENDING).count() - before
        _record(caller, "rule.apply", rule, detail=f"{added} of the last {most}")
    return added


def rule_cancel(caller: Caller, rule: Rule) -> int:
    """Cancels the runs that a rule has yet to render; returns how many. Active renders continue.

    Raises:
        NotAllowedError: see `rule_change`.
    """
    change_check(caller, rule)
    with transaction.atomic():
        rows = RuleRun.objects.filter(rule=rule, state=RuleRunState.PENDING)
        count = rows.update(state=RuleRunState.CANCELLED, message="Cancelled before it was rendered.")
        _record(caller, "rule.cancel", rule, detail=f"{count} runs")
    return count


def gateway_of(rule: Rule) -> Gateway:
    """Returns a gateway on behalf of a rule's owner.

    Raises:
        PermissionDenied, RunsError: see `gateway_for_absent`.
    """
    return gateway_for_absent(absent_caller(rule.owner), rule.endpoint_key, rule.namespace)


def _create_check(caller: Caller, recipe: Recipe) -> None:
    right_check(caller, Right.CREATE)
    if not caller.is_person:
        raise NotAllowedError("Only a person can create a rule: it uses its owner's permissions.")
    if recipe.code:
        right_check(caller, Right.CUSTOM_CODE)
    namespace_check(caller, recipe.endpoint_key, recipe.namespace)


def _count_check(caller: Caller) -> None:
    if Rule.objects.filter(owner=caller.user_id).count() >= MOST_RULES:
        raise InvalidRequestError(f"You already have {MOST_RULES} rules, the limit for one person. Delete one first.")


def _conditions_check(conditions: RunConditions) -> None:
    if not conditions.state.is_final:
        raise InvalidRequestError(
            "A run must end in this state.", fields={"state": "Choose a state in which runs end."}
        )
    too_long = {
        name: f"At most {most} characters."
        for name, most in {"pipeline": 500, "name": 500, "experiment_id": 200, "tag": 40}.items()
        if len(getattr(conditions, name)) > most
    }
    if too_long:
        raise InvalidRequestError("A condition is too long.", fields=too_long)


def _limits_clean(limits: dict[str, int]) -> dict[str, int]:
    for name, value in limits.items():
        if not 1 <= value <= 1000:
            raise InvalidRequestError("The limit must be 1 to 1000.", fields={name: "1 to 1000."})
    return dict(limits)


def _most_clean(most: int) -> int:
    if not 1 <= most <= MOST_EARLIER:
        raise InvalidRequestError(f"Choose 1 to {MOST_EARLIER} runs.", fields={"last": f"1 to {MOST_EARLIER}."})
    return most


def _usual_name(recipe: Recipe, conditions: RunConditions) -> str:
    of = conditions.pipeline or recipe.pipeline_name or "every pipeline"
    return f"{recipe.type_key} of {recipe.artifact_name or recipe.step_id}, {of}"[:_MOST_NAME_CHARS]


def _record(caller: Caller, action: str, rule: Rule, *, detail: str = "") -> None:
    audit.record(
        caller,
        action,
        target=rule.id,
        target_name=rule.name,
        endpoint_key=rule.endpoint_key,
        namespace=rule.namespace,
        detail=detail,
    )
