"""The reconciler's part: finds matching runs, waits for their end, and has each rendered once."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller, absent_caller
from apps.accounts.rights import Right
from apps.rules import meeting, selectors, services
from apps.rules.conditions import run_pages
from apps.rules.events import RuleSuccess, RuleTrouble, success_publish, trouble_publish
from apps.rules.models import Rule, RuleRun, RuleRunState
from apps.runs import exceptions as runs_exceptions
from apps.runs.entities import Run
from apps.runs.gateway import Gateway
from apps.runs.gateway.filters import MOST_IDS, RunQuestion
from apps.visualizations.exceptions import (
    CustomOffError,
    NotAllowedError,
    NotFoundError,
    TooManyQueuedError,
    VisualizationsError,
)
from apps.visualizations.models import Visualization
from apps.visualizations.services.rights import right_check
from apps.visualizations.services.series import recipe_apply
from apps.visualizations.services.submission import Submission
from apps.visualizations.states import RenderState

logger = logging.getLogger(__name__)
# How long other reconcilers leave a rule to the one that works on it. Working concurrently does no harm.
_TURN: Final = timedelta(seconds=3)
# Limits a pass, so that the reconciler's other work continues whatever Kubeflow does.
_LONGEST_PASS_S: Final = 8.0
# The owner's permissions have ended, which only a person can change, so the rule pauses.
_RIGHTS_ENDED: Final = (
    PermissionDenied,
    NotAllowedError,
    NotFoundError,
    CustomOffError,
    runs_exceptions.ForbiddenError,
    runs_exceptions.NotSignedInError,
)
# Temporary errors that are not about the run; it is retried in the next pass.
_PASSING: Final = (TooManyQueuedError, runs_exceptions.EndpointDownError)


class _TakenError(Exception):
    """Another reconciler was faster, or somebody cancelled."""


def rules_pass() -> int:
    """Works on rules that are enabled or still rendering; returns how many runs were found, queued or ended.

    Safe at any time, concurrently with itself, and when killed at any point: each rule has one row per run, which
    changes in the transaction that saves the visualization.
    """
    done, began = 0, time.monotonic()
    away: set[str] = set()
    for rule in _due():
        if time.monotonic() - began > _LONGEST_PASS_S:
            break
        if rule.endpoint_key in away or not _take_turn(rule):
            continue
        try:
            done += rule_work(rule)
        except runs_exceptions.EndpointDownError as error:
            away.add(rule.endpoint_key)
            logger.info("rule %s: %s", rule.id, error)
        except runs_exceptions.RunsError as error:
            logger.warning("rule %s: %s", rule.id, error)
    return done


def rule_work(rule: Rule) -> int:
    """Does all pending work of a rule; returns how many runs were found, queued or ended.

    Raises:
        RunsError: Kubeflow does not answer.
    """
    caller = absent_caller(rule.owner)
    done = _follow_renders(rule)
    rule.refresh_from_db()
    if not rule.is_enabled:
        return done
    try:
        right_check(caller, Right.CREATE)
        gateway = services.gateway_of(rule)
        done += _discover(caller, rule, gateway)
        done += _resolve_waiting(rule, gateway)
        done += _apply_pending(caller, rule, gateway)
    except _RIGHTS_ENDED as error:
        _pause(rule, f"It may no longer act for {rule.owner.get_username()}: {error}")
        done += 1
    return done


def _due() -> Iterable[Rule]:
    rows = Rule.objects.filter(is_enabled=True) | Rule.objects.filter(runs__state=RuleRunState.RENDERING)
    return rows.select_related("owner", "recipe").distinct().order_by(F("looked_at").asc(nulls_first=True))


def _take_turn(rule: Rule) -> bool:
    now = timezone.now()
    is_free = Q(looked_at=None) | Q(looked_at__lt=now - _TURN) | Q(looked_at__gt=now + _TURN)
    return bool(Rule.objects.filter(is_free, id=rule.id).update(looked_at=now))


def _discover(caller: Caller, rule: Rule, gateway: Gateway) -> int:
    """Records the runs since the cursor page by page, so that an interruption loses nothing."""
    conditions = selectors.conditions_of(rule)
    asked = replace(conditions.question(), created_from=rule.cursor - meeting.OVERLAP, sort="created")
    met = 0
    for page in run_pages(gateway, asked):
        # Whether a run has the tag is decided when it has ended.
        untagged = replace(conditions, tag="")
        going_on = [run for run in untagged.match(caller, gateway, page) if not run.state.is_final]
        ended = conditions.match(caller, gateway, tuple(run for run in page if run.state.is_final))
        met += meeting.runs_meet(rule, [*going_on, *ended])
        newest = max((run.created_at for run in page if run.created_at), default=None)
        if newest is not None:
            Rule.objects.filter(id=rule.id, cursor__lt=newest).update(cursor=newest)
    return met


def _resolve_waiting(rule: Rule, gateway: Gateway) -> int:
    rows = list(RuleRun.objects.filter(rule=rule, state=RuleRunState.WAITING).select_related("rule").order_by("id"))
    ended = 0
    for start in range(0, len(rows), MOST_IDS):
        part = rows[start : start + MOST_IDS]
        asked = RunQuestion(run_ids=tuple(row.run_id for row in part))
        known = {run.id: run for page in run_pages(gateway, asked) for run in page}
        ended += sum(_resolve(rule, row, known.get(row.run_id), gateway) for row in part)
    return ended


def _resolve(rule: Rule, row: RuleRun, run: Run | None, gateway: Gateway) -> bool:
    if run is None:
        # Archived runs are in no list, and deleted ones are gone.
        try:
            run = gateway.run(row.run_id)
        except runs_exceptions.NotFoundError:
            return _settle(row, RuleRunState.WAITING, RuleRunState.SKIPPED, "Kubeflow no longer has this run.")
    conditions = selectors.conditions_of(rule)
    if run.state.is_final and not conditions.match(absent_caller(rule.owner), gateway, (run,)):
        return _settle(row, RuleRunState.WAITING, RuleRunState.SKIPPED, "The run ended without the tag.")
    return meeting.run_end(row, run)


def _apply_pending(caller: Caller, rule: Rule, gateway: Gateway) -> int:
    rows = RuleRun.objects.filter(rule=rule)
    room = rule.most_waiting - rows.filter(state=RuleRunState.RENDERING).count()
    applied, began = 0, time.monotonic()
    # Newest runs first: they interest people most.
    for row in rows.filter(state=RuleRunState.PENDING).order_by("-run_created_at", "-id")[: max(0, room)]:
        if time.monotonic() - began > _LONGEST_PASS_S or not Rule.objects.filter(id=rule.id, is_enabled=True).exists():
            break
        try:
            applied += _apply(caller, rule, row, gateway)
        except _PASSING as error:
            logger.info("rule %s waits: %s", rule.id, error)
            break
        except _RIGHTS_ENDED:
            raise
        except (VisualizationsError, runs_exceptions.RunsError) as error:
            applied += _failed(rule, row, RuleRunState.PENDING, str(error))
    return applied


def _apply(caller: Caller, rule: Rule, row: RuleRun, gateway: Gateway) -> bool:
    """Has a run rendered, unless that is under way; returns False if another reconciler was faster."""

    def on_saved(made: Submission) -> None:
        state = RuleRunState.RENDERING if made.render.is_active else RuleRunState.SUCCEEDED
        pending = RuleRun.objects.filter(id=row.id, state=RuleRunState.PENDING)
        if not pending.update(state=state, render=made.render, message=""):
            raise _TakenError

    try:
        own = _own_visualization(rule, row)
        if own is not None and own.latest is not None:
            on_saved(Submission(visualization=own, render=own.latest, is_new=False))
        else:
            recipe_apply(caller, rule.recipe, row.run_id, gateway, on_saved=on_saved)
    except _TakenError:
        return False
    return True


def _own_visualization(rule: Rule, row: RuleRun) -> Visualization | None:
    """Returns the owner's active or succeeded visualization of this recipe and run; None if there is none."""
    good = Q(latest__state=RenderState.SUCCEEDED, latest__damaged_at=None) | Q(
        latest__state__in=[RenderState.QUEUED, RenderState.RUNNING]
    )
    rows = Visualization.objects.filter(good, recipe=rule.recipe_id, run_id=row.run_id, owner=rule.owner_id)
    return rows.select_related("latest").order_by("-created_at").first()


def _follow_renders(rule: Rule) -> int:
    """Records which renders of a rule have ended, in the order of their ends."""
    ended = 0
    rows = RuleRun.objects.filter(rule=rule, state=RuleRunState.RENDERING).select_related("render")
    for row in rows.order_by("render__finished_at", "id"):
        render = row.render
        if render is None:
            message = "Its visualization was deleted before it was rendered."
            ended += _settle(row, RuleRunState.RENDERING, RuleRunState.CANCELLED, message)
        elif render.state == RenderState.SUCCEEDED:
            ended += _succeeded(rule, row)
        elif render.state == RenderState.CANCELLED:
            ended += _settle(row, RuleRunState.RENDERING, RuleRunState.CANCELLED, render.message)
        elif not render.is_active:
            ended += _failed(rule, row, RuleRunState.RENDERING, render.message)
    return ended


@transaction.atomic
def _succeeded(rule: Rule, row: RuleRun) -> bool:
    if not _settle(row, RuleRunState.RENDERING, RuleRunState.SUCCEEDED, ""):
        return False
    Rule.objects.filter(id=rule.id).update(failures=0)
    success_publish(RuleSuccess(rule=rule, run=row))
    return True


def _failed(rule: Rule, row: RuleRun, before: RuleRunState, message: str) -> bool:
    with transaction.atomic():
        if not _settle(row, before, RuleRunState.FAILED, message):
            return False
        Rule.objects.filter(id=rule.id).update(failures=F("failures") + 1)
        trouble_publish(RuleTrouble(rule=rule, run=row, message=message))
    rule.refresh_from_db(fields=["failures", "most_failures", "is_enabled"])
    if rule.failures >= rule.most_failures:
        _pause(rule, f"{rule.failures} runs in a row failed; the last: {message}")
    return True


def _settle(row: RuleRun, before: RuleRunState, after: RuleRunState, message: str) -> bool:
    """Changes a row's state, unless another process has changed it."""
    return bool(RuleRun.objects.filter(id=row.id, state=before).update(state=after, message=message))


def _pause(rule: Rule, reason: str) -> None:
    with transaction.atomic():
        if not Rule.objects.filter(id=rule.id, is_enabled=True).update(is_enabled=False, paused_because=reason):
            return
        trouble_publish(RuleTrouble(rule=rule, run=None, message=reason))
    rule.is_enabled = False
    audit.record(
        absent_caller(rule.owner),
        "rule.pause",
        target=rule.id,
        target_name=rule.name,
        endpoint_key=rule.endpoint_key,
        namespace=rule.namespace,
        detail=reason,
    )
    logger.warning("rule %s paused: %s", rule.id, reason)
