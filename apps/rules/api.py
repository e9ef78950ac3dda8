"""API operations of rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import caller_of
from apps.rules import selectors, services
from apps.rules.conditions import RunConditions
from apps.rules.models import Rule
from apps.runs.entities import State
from apps.visualizations.api.errors import ApiError
from apps.visualizations.api.pages import page_at
from apps.visualizations.api.schemas import errors
from apps.visualizations.selectors import recipe_get

router = Router(tags=["rules"])
PageSize = Annotated[int, Query(ge=1, le=200)]


class ConditionsIn(Schema):
    """Conditions for runs; `*` and `?` in names are wildcards, and an empty text matches any run."""

    pipeline: str = ""
    run: str = ""
    experiment_id: str = ""
    tag: str = ""
    state: str = State.SUCCEEDED.value

    def conditions(self) -> RunConditions:
        """Returns the conditions.

        Raises:
            ApiError: 400, an unknown state.
        """
        state = State.by_value(self.state)
        if state is None:
            raise ApiError(400, "invalid", "There is no such state.", {"conditions.state": "There is no such state."})
        return RunConditions(
            pipeline=self.pipeline, name=self.run, experiment_id=self.experiment_id, tag=self.tag, state=state
        )


class RuleIn(Schema):
    """A new rule: a series, and conditions for the runs to add. By default, the runs of the series' pipeline."""

    series_id: UUID
    title: str = ""
    conditions: ConditionsIn | None = None
    most_failures: int = 5
    most_waiting: int = 10


class RuleChanges(Schema):
    """Changes to a rule; omitted fields stay as they are."""

    title: str | None = None
    enabled: bool | None = None
    most_failures: int | None = None
    most_waiting: int | None = None


class RuleOut(Schema):
    """A rule; `runs` counts its runs by state."""

    id: str
    title: str
    url: str
    series_id: str
    owner: str
    enabled: bool
    paused_because: str
    conditions: ConditionsIn
    most_failures: int
    most_waiting: int
    failures: int
    created_at: datetime
    runs: dict[str, int] = Field(description="Counts by state.")


class RulePage(Schema):
    """A page of rules."""

    items: list[RuleOut]
    next: str | None


class EarlierIn(Schema):
    """How many of the newest matching runs a rule is applied to; `dry_run` changes nothing."""

    last: int
    dry_run: bool = False


class EarlierRun(Schema):
    """A matching run."""

    id: str
    name: str
    created_at: datetime | None


class EarlierOut(Schema):
    """Matching runs. `added` will be rendered, `rendered` already were; `complete`: no older runs match."""

    items: list[EarlierRun]
    added: int
    rendered: int
    complete: bool
    duration_s: float | None


@router.get("", response={200: RulePage, **errors(400)}, url_name="rules")
def rules_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists your rules, newest first."""
    rows = selectors.rules_visible(caller_of(request))
    found, following = page_at(rows, page_size=page_size, page_token=page_token)
    return {"items": [_shape(request, each) for each in found], "next": following}


@router.post("", response={201: RuleOut, **errors(400, 404, 502)}, url_name="rule_create")
def rule_create(request: HttpRequest, payload: RuleIn) -> Any:
    """Creates a rule: when a matching run ends, it is added to the series. The rule works with your permissions."""
    caller = caller_of(request)
    recipe = recipe_get(caller, payload.series_id)
    given = payload.conditions
    conditions = given.conditions() if given else RunConditions(pipeline=recipe.pipeline_name)
    rule = services.rule_create(
        caller,
        recipe,
        conditions,
        name=payload.title,
        most_failures=payload.most_failures,
        most_waiting=payload.most_waiting,
    )
    return Status(201, _shape(request, rule))


@router.get("/{rule_id}", response={200: RuleOut, **errors(404)}, url_name="rule")
def rule_get(request: HttpRequest, rule_id: UUID) -> Any:
    """Returns a rule with the number of runs in each state."""
    return _shape(request, selectors.rule_get(caller_of(request), rule_id))


@router.patch("/{rule_id}", response={200: RuleOut, **errors(400, 404)})
def rule_change(request: HttpRequest, rule_id: UUID, payload: RuleChanges) -> Any:
    """Pauses or resumes a rule, renames it, or sets its limits."""
    rule = selectors.rule_get(caller_of(request), rule_id)
    limits = {"most_failures": payload.most_failures, "most_waiting": payload.most_waiting}
    given = {name: value for name, value in limits.items() if value is not None}
    services.rule_change(caller_of(request), rule, is_enabled=payload.enabled, name=payload.title, **given)
    return _shape(request, rule)


@router.delete("/{rule_id}", response={204: None, **errors(404)})
def rule_delete(request: HttpRequest, rule_id: UUID) -> Any:
    """Deletes a rule; its visualizations stay."""
    services.rule_delete(caller_of(request), selectors.rule_get(caller_of(request), rule_id))
    return Status(204, None)


@router.post("/{rule_id}/apply", response={200: EarlierOut, **errors(400, 404, 502)}, url_name="rule_apply")
def rule_apply(request: HttpRequest, rule_id: UUID, payload: EarlierIn) -> Any:
    """Applies a rule to the newest matching earlier runs, except those that it has already rendered."""
    caller = caller_of(request)
    rule = selectors.rule_get(caller, rule_id)
    conditions = selectors.conditions_of(rule)
    tried = services.rule_dry_run(caller, rule.recipe, conditions, payload.last, rule_id=rule.id)
    added = 0 if payload.dry_run else services.rule_apply_to_last(caller, rule, payload.last)
    return {
        "items": [{"id": run.id, "name": run.name, "created_at": run.created_at} for run in tried.found.runs],
        "added": added,
        "rendered": tried.rendered,
        "complete": tried.found.is_complete,
        "duration_s": tried.duration_s,
    }


@router.post("/{rule_id}/cancel", response={200: RuleOut, **errors(400, 404)}, url_name="rule_cancel")
def rule_cancel(request: HttpRequest, rule_id: UUID) -> Any:
    """Cancels the runs that a rule has yet to render."""
    rule = selectors.rule_get(caller_of(request), rule_id)
    services.rule_cancel(caller_of(request), rule)
    return _shape(request, rule)


def _shape(request: HttpRequest, rule: Rule) -> dict[str, Any]:
    conditions = selectors.conditions_of(rule)
    return {
        "id": str(rule.id),
        "title": rule.name,
        "url": rule.get_absolute_url(),
        "series_id": str(rule.recipe_id),
        "owner": rule.owner.get_username(),
        "enabled": rule.is_enabled,
        "paused_because": rule.paused_because,
        "conditions": {
            "pipeline": conditions.pipeline,
            "run": conditions.name,
            "experiment_id": conditions.experiment_id,
            "tag": conditions.tag,
            "state": conditions.state.value,
        },
        "most_failures": rule.most_failures,
        "most_waiting": rule.most_waiting,
        "failures": rule.failures,
        "created_at": rule.created_at,
        "runs": selectors.rule_counts(caller_of(request), rule),
    }
