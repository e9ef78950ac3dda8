"""How a worker carries out one render: claim it, fetch the source, render, store the result, write the end once."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from renderer import EnvironmentInfo, HostLostError, HostStartError, Progress, RenderHost, RenderJob, RenderOutcome
from renderer import render as run_job
from renderer.clearing import tree_remove
from rq.timeouts import JobTimeoutException

from apps.stores.content import SavedFile
from apps.telemetry import tracing
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import CustomOffError, MachineError, RenderEndedError
from apps.visualizations.models import Render
from apps.visualizations.services.figures import figures_complete
from apps.visualizations.services.hosts import (
    environment_missing,
    host_await,
    host_get,
    host_publish,
    host_want,
)
from apps.visualizations.services.inputs import StoppedError, job_of, overlay_install, source_fetch, type_renew
from apps.visualizations.services.lease import (
    GRACE,
    Lease,
    lease_kept,
    render_claim,
    render_finish,
    render_give_back,
)
from apps.visualizations.services.live import live_publish, live_publish_phase
from apps.visualizations.services.machine_faults import fault_of, kills_for_memory, outcome_fault, work_dir_make
from apps.visualizations.services.results import file_save, files_delete, keeping_s
from apps.visualizations.sources import FetchedSource
from apps.visualizations.states import Reason, RenderState

logger = logging.getLogger(__name__)


def render_execute(
    render_id: str, attempt: int, on_beat: Callable[[float], None] = lambda _silent_s: None
) -> Render | None:
    """Carries out one attempt of a render. Returns quietly if the attempt no longer counts.

    Args:
        on_beat: called now and then, from any thread; see `Lease.on_beat`.

    Returns:
        The render, if a machine fault requires queueing its next attempt; otherwise None.
    """
    try:
        with tracing.span("claim"):
            render = render_claim(render_id, attempt)
    except (OperationalError, InterfaceError) as error:
        # Nothing has begun: the render stays queued, and the reconciler queues it again.
        logger.error("render %s: not claimed, the database does not take it: %s", render_id, error)
        return None
    if render is None:
        logger.info("render %s attempt %s: nothing to claim", render_id, attempt)
        return None
    lease = Lease(render, on_beat)
    with lease_kept(lease):
        return _attempt(render, lease)


def _attempt(render: Render, lease: Lease) -> Render | None:
    directory: Path | None = None
    try:
        directory = work_dir_make(render)
        _carry_out(render, lease, directory)
    except RenderEndedError as error:
        return _finish(render, error)
    except JobTimeoutException:
        message = "Stopped by the queue's own time limit."
        render_finish(render, state=RenderState.TIMED_OUT, reason=Reason.TIMED_OUT, message=message)
    except OSError as error:
        fault = fault_of(error)
        if fault is not None:
            return _finish(render, fault, cause=error)
        _finish_broken(render, error)
    except Exception as error:  # noqa: BLE001  (the edge of the job: whatever failed, the row must record the end)
        _finish_broken(render, error)
    except BaseException:
        lease.release()
        raise
    finally:
        _clear_up(directory)
        _note_end(render)
    return None


def _clear_up(directory: Path | None) -> None:
    try:
        if directory is not None:
            tree_remove(directory)
    except OSError as error:
        # The end is already written; the sweep of abandoned work directories removes what is left.
        logger.warning("%s: not removed: %s", directory, error)


def _note_end(render: Render) -> None:
    """Reports the outcome to log and trace; the state "running" means that this attempt did not write the end."""
    logger.info("render %s: %s", render.id, " ".join(filter(None, (str(render.state), render.reason))))
    kind = render.visualization.type_key
    facts = {"type": kind, "environment": render.environment, "state": str(render.state), "reason": str(render.reason)}
    tracing.set_attributes({f"vizportal.render.{name}": value for name, value in facts.items() if value})


def _finish(render: Render, error: RenderEndedError, cause: Exception | None = None) -> Render | None:
    """Ends a render, or returns it for its next attempt if the reason allows one.

    Custom code may have side effects, so it is never restarted automatically.
    """
    reason = error.code
    if not reason.is_tried_again:
        render_finish(render, state=reason.state, reason=reason, message=str(error))
        return None
    logger.warning("render %s: %s: %s", render.id, error.code, error, exc_info=cause)
    if not render.is_custom and render.losses == 0:
        return render if render_give_back(render) else None
    message = f"{error} It was not started again automatically." if render.is_custom else str(error)
    render_finish(render, state=reason.state, reason=reason, message=message, losses=render.losses + 1)
    return None


def _finish_broken(render: Render, error: Exception) -> None:
    incident = uuid.uuid4().hex[:8]
    logger.error("render %s: incident %s", render.id, incident, exc_info=error)
    message = f"Something went wrong in the portal (incident {incident}). The log of the worker has the cause."
    render_finish(render, state=RenderState.FAILED, reason=Reason.INTERNAL_ERROR, message=message)


def _carry_out(render: Render, lease: Lease, directory: Path) -> None:
    if render.is_custom and not settings.ALLOW_CUSTOM_VISUALIZATIONS:
        raise CustomOffError
    environment = environments().get(render.environment)
    if environment.interpreter is None:
        raise RenderEndedError(environment_missing(render.environment), code=Reason.ENVIRONMENT_MISSING)
    claimed_at, began = timezone.now(), time.monotonic()
    type_renew(render)
    with tracing.span("fetch source"):
        fetched = source_fetch(render, lease, directory / "input")
    fetch_s = round(time.monotonic() - began, 4)
    overlay = overlay_install(render, lease, environment)
    with tracing.span("render"):
        outcome = _run(render, lease, job_of(render, fetched, overlay), environment, directory)
        tracing.set_attributes({f"vizportal.seconds.{name}": seconds for name, seconds in outcome.timings.items()})
    outcome = replace(outcome, timings={**_waiting(render, claimed_at), "fetch": fetch_s, **outcome.timings})
    with outcome, tracing.span("store"):
        lease.allow(keeping_s(file for file in (outcome.html, outcome.notebook) if file))
        _keep(render, outcome, fetched, outcome.lock or environment.lock_digest)


def _waiting(render: Render, claimed_at: datetime) -> dict[str, float]:
    assert render.started_at is not None  # noqa: S101  (it was claimed)
    return {
        "queue": round((render.started_at - render.queued_at).total_seconds(), 4),
        "claim": round((claimed_at - render.started_at).total_seconds(), 4),
    }


def _run(
    render: Render,
    lease: Lease,
    job: RenderJob,
    environment: EnvironmentInfo,
    directory: Path,
) -> RenderOutcome:
    """Renders once the environment's host is ready.

    Raises:
        MachineError: the host does not start or was lost, or the machine caused the failure.
    """
    host = host_get(environment)
    host_want(render.environment)
    _await_host(render, lease, host)

    def on_progress(progress: Progress) -> None:
        lease.beat(progress.cell, progress.cells)
        live_publish(render, progress)
        host_publish(render.environment)

    place = directory / "render"
    place.mkdir()
    kills_before = kills_for_memory()
    try:
        outcome = run_job(job, host=host, directory=place, on_progress=on_progress, is_cancelled=lease.is_cancelled)
    except HostStartError as error:
        raise MachineError(str(error), code=Reason.HOST_FAILED) from error
    except HostLostError as error:
        raise MachineError(f"{error} The code is rarely at fault. Render it again.") from error
    fault = outcome_fault(outcome, place, is_custom=render.is_custom, kills_before=kills_before)
    if fault is not None:
        outcome.close()
        raise fault
    return outcome


def _await_host(render: Render, lease: Lease, host: RenderHost) -> None:
    """Waits until the host has imported the environment's libraries; this does not count towards the time limit."""

    def on_wait() -> None:
        lease.beat()
        if lease.is_cancelled():
            raise StoppedError("Cancelled while its environment was starting.")
        live_publish_phase(render, "host")

    if host.read_status() is not None:
        return
    lease.allow(settings.VIZPORTAL_HOST_START_S + render.timeout_s + GRACE.total_seconds())
    host_await(host, on_wait)
    live_publish_phase(render, "")


def _keep(render: Render, outcome: RenderOutcome, fetched: FetchedSource | None, lock: str) -> None:
    began = time.monotonic()
    html = file_save(render, outcome.html, "result.html") if outcome.html else None
    notebook = None
    if outcome.notebook:
        notebook = file_save(render, outcome.notebook, "notebook.ipynb", is_vital=html is None)
    outcome = replace(outcome, timings={**outcome.timings, "store": round(time.monotonic() - began, 4)})
    values = _facts(outcome) | _files(html, notebook) | {"environment_lock": lock} | _limit_named(render, outcome)
    if fetched:
        values |= {
            "source_digest": fetched.digest,
            "source_bytes": fetched.size_bytes,
            "source_version": fetched.version,
        }
    try:
        # Storing overlaps with the end of the render's processes. The end is not announced before they are gone.
        outcome.wait_for_end()
    except HostLostError as error:
        raise MachineError(f"{error} Render it again.") from error
    figures = figures_complete(render.visualization.type_key, outcome.figures)
    if not render_finish(render, state=RenderState.by_value(outcome.state), figures=figures, **values):
        files_delete([file.name for file in (html, notebook) if file])


def _facts(outcome: RenderOutcome) -> dict[str, Any]:
    return {
        "reason": outcome.reason,
        "message": _storable(outcome.message),
        "traceback": _storable(outcome.traceback),
        "line": outcome.line,
        "log": _storable(outcome.log),
        "cell": outcome.cells_done,
        "cells": outcome.cells,
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "timings": dict(outcome.timings),
        "sandbox": outcome.sandbox,
    }


def _limit_named(render: Render, outcome: RenderOutcome) -> dict[str, Any]:
    """Returns the message for a render that exceeded its own time limit, if that is below the server's."""
    most_s = settings.KERNEL_TIMEOUT
    if outcome.reason != Reason.TIMED_OUT.value or render.timeout_s >= most_s:
        return {}
    words = f"Stopped after {render.timeout_s:g} s, the limit that was chosen for it; this server allows {most_s:g} s."
    return {"message": words}


def _storable(text: str) -> str:
    """Replaces lone surrogates: JSON can encode them, but databases reject them."""
    return text.encode("utf-8", "replace").decode()


def _files(html: SavedFile | None, notebook: SavedFile | None) -> dict[str, Any]:
    values: dict[str, Any] = {"notebook": ""}
    if notebook:
        values = {
            "notebook": notebook.name,
            "notebook_bytes": notebook.size_bytes,
            "notebook_sha256": notebook.sha256,
        }
    if html:
        values |= {"html": html.name, "html_bytes": html.size_bytes, "html_sha256": html.sha256}
    return values
