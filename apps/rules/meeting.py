"""Records the runs that a rule finds, each once, with their state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from apps.accounts.caller import Caller
from apps.rules.conditions import RunConditions, run_pages
from apps.rules.models import Rule, RuleRun, RuleRunState
from apps.runs.entities import Run, State
from apps.runs.gateway import Gateway
from apps.runs.gateway.filters import RunQuestion

# A run may appear in lists shortly after one that was created later.
OVERLAP: Final = timedelta(minutes=2)
_ACTIVE: Final = tuple(state for state in State if state.is_active)


def runs_meet(rule: Rule, runs: Iterable[Run], *, is_earlier: bool = False) -> int:
    """Records matching runs, each only once ever; returns how many were new.

    Args:
        is_earlier: the rule is new, so runs that have already ended are skipped without a message.
    """
    wanted = State.by_value(rule.run_state)
    rows = []
    for run in runs:
        state, message = _met_state(run, wanted)
        if is_earlier and run.state.is_final:
            state, message = RuleRunState.SKIPPED, ""
        rows.append(
            RuleRun(
                rule=rule,
                run_id=run.id,
                run_name=run.name.replace("\0", "")[:500],
                run_created_at=run.created_at,
                state=state,
                message=message,
            )
        )
    before = RuleRun.objects.filter(rule=rule, run_id__in=[row.run_id for row in rows]).count()
    RuleRun.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) - before


def run_end(row: RuleRun, run: Run) -> bool:
    """Records that a run has ended; returns False if it still runs."""
    state, message = _met_state(run, State.by_value(row.rule.run_state))
    if state == RuleRunState.WAITING:
        return False
    rows = RuleRun.objects.filter(id=row.id, state=RuleRunState.WAITING)
    return bool(rows.update(state=state, message=message, run_created_at=run.created_at))


def _met_state(run: Run, wanted: State | None) -> tuple[RuleRunState, str]:
    if not run.state.is_final:
        return RuleRunState.WAITING, ""
    if run.state is not wanted:
        return RuleRunState.SKIPPED, f"The run ended as {run.state.label.lower()}."
    return RuleRunState.PENDING, ""


def known_runs(caller: Caller, gateway: Gateway, conditions: RunConditions) -> tuple[datetime, list[Run]]:
    """Returns when the newest run was created, and the matching runs that a new rule must already know.

    These are the active ones, and the most recent ones, which the first search would find again.
    """
    newest = gateway.runs(RunQuestion(), page_size=1).items
    cursor = (newest[0].created_at if newest else None) or timezone.now()
    recent = replace(conditions.question(), created_from=cursor - OVERLAP)
    active = replace(conditions.question(), states=_ACTIVE)
    # Whether a run has the tag is decided when it has ended.
    untagged = replace(conditions, tag="")
    known = {
        run.id: run
        for question in (recent, active)
        for page in run_pages(gateway, question)
        for run in untagged.match(caller, gateway, page)
    }
    return cursor, list(known.values())
