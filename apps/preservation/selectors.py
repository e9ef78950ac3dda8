"""Read access to the copy of a run, for callers who may see a visualization of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.caller import Caller
from apps.preservation.documents import log_read, run_read
from apps.preservation.models import PreservedLog, PreservedRun
from apps.runs.entities import RunDetails, StepLog
from apps.visualizations import selectors
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Visualization


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCopy:
    """A run as it was copied.

    Attributes:
        saved_at: time of the copy.
        note: what was left out; "" for nothing.
        step_ids: steps whose logs were copied.
    """

    row: PreservedRun
    details: RunDetails
    saved_at: datetime
    note: str
    step_ids: frozenset[str]


def run_copy_exists(caller: Caller, visualization: Visualization) -> bool:
    """Whether there is a copy of a visualization's run that the caller may see."""
    visible = selectors.visualizations_visible(caller).filter(id=visualization.id)
    return bool(visualization.run_id) and _rows(visualization).exists() and visible.exists()


def run_copy_get(caller: Caller, visualization: Visualization) -> RunCopy:
    """Returns the copy of a visualization's run.

    Raises:
        NotFoundError: the caller may not see the visualization, or there is no copy.
    """
    selectors.visualization_get(caller, visualization.id)
    row = _rows(visualization).first() if visualization.run_id else None
    if row is None or row.content is None or row.saved_at is None:
        raise NotFoundError("There is no copy of this run.")
    try:
        details = run_read(bytes(row.content))
    except ValueError as error:
        raise NotFoundError("The copy of this run cannot be read.") from error
    step_ids = frozenset(row.logs.values_list("step_id", flat=True))
    return RunCopy(row=row, details=details, saved_at=row.saved_at, note=row.note, step_ids=step_ids)


def log_copy_get(caller: Caller, visualization: Visualization, copy: RunCopy, step_id: str) -> StepLog:
    """Returns the copied log of a step; without text if none was copied.

    Raises:
        NotFoundError: the caller may not see the visualization.
    """
    selectors.visualization_get(caller, visualization.id)
    log = PreservedLog.objects.filter(run=copy.row, step_id=step_id).first()
    if log is None:
        return StepLog(text="", note="The log of this step was not kept: nothing was saved of it.")
    return StepLog(text=log_read(bytes(log.content)), is_cut=log.is_cut, note=log.note)


def _rows(visualization: Visualization) -> QuerySet[PreservedRun]:
    same = {"endpoint_key": visualization.endpoint_key, "run_id": visualization.run_id}
    return PreservedRun.objects.filter(content__isnull=False, **same)
