"""The reconciler's part: copies runs that have saved visualizations, and the logs of their steps."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.accounts.caller import absent_caller
from apps.preservation.documents import log_write, run_write
from apps.preservation.models import PreservationCursor, PreservedLog, PreservedRun
from apps.runs.entities import RunDetails, StepLog
from apps.runs.exceptions import EndpointDownError, NotFoundError, RunsError
from apps.runs.gateway import Gateway, gateway_for_absent
from apps.visualizations.models import Visualization

logger = logging.getLogger(__name__)
# A transaction that saves a visualization may commit after a later one.
_LAG: Final = timedelta(seconds=60)
_MOST_LOOKED_AT: Final = 500
_MOST_COPIED: Final = 10
_LONGEST_PASS_S: Final = 5.0
# How long a copy belongs to the process that took it up.
_TURN: Final = timedelta(minutes=5)
_LIVE_AGAIN: Final = timedelta(minutes=2)
_MOST_FAILURES: Final = 10
_MOST_STEPS: Final = 50


def preservation_pass() -> int:
    """Copies the runs that are due; returns the number of visualizations examined and runs copied.

    Safe at any time, concurrently with itself, and when killed at any point.
    """
    if not settings.VIZPORTAL_PRESERVE_BYTES:
        return 0
    done, began = runs_find(), time.monotonic()
    away: set[str] = set()
    for row in list(PreservedRun.objects.filter(next_at__lte=timezone.now()).order_by("next_at")[:_MOST_COPIED]):
        if time.monotonic() - began > _LONGEST_PASS_S:
            break
        if row.endpoint_key in away or not _take_turn(row):
            continue
        try:
            run_copy(row)
            done += 1
        except EndpointDownError as error:
            away.add(row.endpoint_key)
            _later(row, str(error))
        except (RunsError, PermissionDenied) as error:
            _later(row, str(error))
    return done


def runs_find() -> int:
    """Records the runs of visualizations saved since the last call; returns the number of visualizations.

    A run that was already copied becomes due again if a visualization needs the log of another step.
    """
    with transaction.atomic():
        cursor = PreservationCursor.objects.select_for_update().first()
        rows = Visualization.objects.exclude(run_id="").filter(created_at__lt=timezone.now() - _LAG)
        if cursor is not None:
            later = Q(created_at=cursor.created_at, id__gt=cursor.visualization_id)
            rows = rows.filter(Q(created_at__gt=cursor.created_at) | later)
        found = list(rows.order_by("created_at", "id").values("id", "created_at", *_COLUMNS)[:_MOST_LOOKED_AT])
        if not found:
            return 0
        wanted = {(each["endpoint_key"], each["run_id"]): each["namespace"] for each in found}
        PreservedRun.objects.bulk_create(
            (PreservedRun(endpoint_key=key, run_id=run, namespace=name) for (key, run), name in wanted.items()),
            ignore_conflicts=True,
        )
        for key, run, step in {(each["endpoint_key"], each["run_id"], each["step_id"]) for each in found}:
            known = PreservedRun.objects.filter(endpoint_key=key, run_id=run, next_at=None, failures=0)
            known.exclude(logs__step_id=step).update(next_at=timezone.now())
        last = found[-1]
        PreservationCursor.objects.update_or_create(
            id=1, defaults={"created_at": last["created_at"], "visualization_id": last["id"]}
        )
    return len(found)


_COLUMNS: Final = ("endpoint_key", "namespace", "run_id", "step_id")


def run_copy(row: PreservedRun) -> None:
    """Copies a run and the logs of its steps with visualizations; a run that is still active becomes due again.

    Raises:
        RunsError, PermissionDenied: Kubeflow does not deliver it.
    """
    saved = Visualization.objects.filter(endpoint_key=row.endpoint_key, run_id=row.run_id, owner__isnull=False)
    newest = saved.select_related("owner").order_by("-created_at").first()
    if newest is None or newest.owner is None:
        PreservedRun.objects.filter(id=row.id).update(next_at=None, note="Nobody owns a visualization of it.")
        return
    gateway = gateway_for_absent(absent_caller(newest.owner), row.endpoint_key, row.namespace)
    try:
        details = gateway.run_details(row.run_id)
    except NotFoundError as error:
        # Keep what was copied while the run existed.
        note = row.note if row.content else str(error)
        PreservedRun.objects.filter(id=row.id).update(next_at=None, note=note)
        return
    steps = list(
        saved.exclude(step_id="").values_list("step_id", flat=True).order_by("step_id").distinct()[:_MOST_STEPS]
    )
    logs = {each: _log(gateway, details, each) for each in steps}
    _keep(row, details, logs)


def _log(gateway: Gateway, details: RunDetails, step_id: str) -> StepLog:
    step = details.step(step_id)
    if step is None:
        return StepLog(text="", note="The run has no such step.")
    try:
        return gateway.step_log(details.run, step)
    except EndpointDownError:
        raise
    except RunsError as error:
        return StepLog(text="", note=str(error))


def _keep(row: PreservedRun, details: RunDetails, logs: dict[str, StepLog]) -> None:
    # Half of the limit for the run, half for the logs.
    half = settings.VIZPORTAL_PRESERVE_BYTES // 2
    document, note = run_write(details, half)
    is_final = details.run.state.is_final
    with transaction.atomic():
        PreservedRun.objects.filter(id=row.id).update(
            content=document or None,
            saved_at=timezone.now(),
            namespace=details.run.namespace or row.namespace,
            next_at=None if is_final else timezone.now() + _LIVE_AGAIN,
            failures=0,
            note=note,
        )
        for step_id, log in logs.items():
            content, is_cut = log_write(log.text, half // max(1, len(logs)))
            PreservedLog.objects.update_or_create(
                run=row,
                step_id=step_id,
                defaults={"content": content, "is_cut": is_cut or log.is_cut, "note": log.note},
            )


def _take_turn(row: PreservedRun) -> bool:
    """Claims a run for this process; others see it as due only later."""
    mine = PreservedRun.objects.filter(id=row.id, next_at=row.next_at)
    return bool(mine.update(next_at=timezone.now() + _TURN))


def _later(row: PreservedRun, reason: str) -> None:
    """Schedules a retry with an increasing delay, and gives up in the end."""
    logger.info("run %s is not copied: %s", row.run_id, reason)
    failures = row.failures + 1
    again = timezone.now() + timedelta(seconds=30 * 2 ** min(failures, 8)) if failures < _MOST_FAILURES else None
    note = row.note if row.content else reason
    PreservedRun.objects.filter(id=row.id).update(failures=F("failures") + 1, next_at=again, note=note)


def visualization_deleted(instance: Visualization, **_signal: Any) -> None:
    """Deletes the copy of a run together with the run's last visualization."""
    same = {"endpoint_key": instance.endpoint_key, "run_id": instance.run_id}
    if instance.run_id and not Visualization.objects.filter(**same).exists():
        PreservedRun.objects.filter(**same).delete()
