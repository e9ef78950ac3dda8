"""What a worker does with one render: claim it, bring the source, render, keep the result, write the end once."""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from apps.observing import tracing
from apps.visualizations.exceptions import CustomOffError, VisualizationsError
from apps.visualizations.models import Render, RenderState
from apps.visualizations.rendering import HostLostError, Progress, RenderOrder, RenderOutcome, environments, overlays
from apps.visualizations.rendering import render as render_order
from apps.visualizations.rendering.clearing import tree_remove
from apps.visualizations.services.credentials import render_gateway
from apps.visualizations.services.hosts import (
    environment_missing,
    host_get,
    host_tell,
    host_want,
    source_cache,
    work_root,
)
from apps.visualizations.services.lease import Lease, render_claim, render_finish
from apps.visualizations.services.live import live_tell
from apps.visualizations.services.results import SavedFile, file_save, files_delete, keeping_s
from apps.visualizations.sources import FetchedSource, Intake, Wanted, source_stage
from apps.visualizations.stores.streamed import StoreAwayError

logger = logging.getLogger(__name__)


class _HostLostError(VisualizationsError):
    """The process that renders was lost on the way."""

    code = "worker_lost"


class _StoppedError(VisualizationsError):
    """The render was cancelled, or lost, before its code began."""

    code = "cancelled"


def render_execute(render_id: str, attempt: int, on_beat: Callable[[float], None] = lambda _silent_s: None) -> None:
    """Carries out one attempt of one render. Returns quietly where the attempt no longer counts.

    Args:
        on_beat: called every now and then, as `Lease.on_beat` is.
    """
    with tracing.span("claim"):
        render = render_claim(render_id, attempt)
    if render is None:
        logger.info("render %s attempt %s: nothing to claim", render_id, attempt)
        return
    lease = Lease(render, on_beat)
    directory = Path(tempfile.mkdtemp(prefix=f"{render.id}.{attempt}.", dir=work_root()))
    try:
        _carry_out(render, lease, directory)
    except VisualizationsError as error:
        render_finish(render, state=_state_of(error), reason=error.code, message=str(error))
    except JobTimeoutException:
        message = "Stopped by the queue's own time limit."
        render_finish(render, state=RenderState.TIMED_OUT, reason="timed_out", message=message)
    except StoreAwayError as error:
        logger.error("render %s: not kept", render.id, exc_info=error)
        message = "It was rendered, but could not be kept: the store of results did not answer. Render it again."
        render_finish(render, state=RenderState.FAILED, reason="store_failed", message=message)
    except Exception as error:  # noqa: BLE001  (the edge of the job: whatever it was, the row must say that it is over)
        _finish_broken(render, error)
    except BaseException:
        lease.release()
        raise
    finally:
        tree_remove(directory)
        _note_end(render)


def _note_end(render: Render) -> None:
    """Tells log and trace what became of it; "running" means that the end was not this attempt's to write."""
    logger.info("render %s: %s", render.id, " ".join(filter(None, (str(render.state), render.reason))))
    kind = render.visualization.type_key
    facts = {"type": kind, "environment": render.environment, "state": str(render.state), "reason": render.reason}
    tracing.note({f"vizportal.render.{name}": value for name, value in facts.items() if value})


def _state_of(error: VisualizationsError) -> RenderState:
    if isinstance(error, _StoppedError):
        return RenderState.CANCELLED
    return RenderState.LOST if isinstance(error, _HostLostError) else RenderState.FAILED


def _finish_broken(render: Render, error: Exception) -> None:
    incident = uuid.uuid4().hex[:8]
    logger.error("render %s: incident %s", render.id, incident, exc_info=error)
    message = f"Something went wrong in the portal (incident {incident}). The log of the worker has the cause."
    render_finish(render, state=RenderState.FAILED, reason="internal_error", message=message)


def _carry_out(render: Render, lease: Lease, directory: Path) -> None:
    if render.is_custom and not settings.ALLOW_CUSTOM_VISUALIZATIONS:
        raise CustomOffError
    environment = environments.environment_get(render.environment, settings.VIZPORTAL_ENVIRONMENTS_DIR)
    if environment.interpreter is None:
        raise VisualizationsError(environment_missing(render.environment), code="environment_missing")
    claimed_at, began = timezone.now(), time.monotonic()
    with tracing.span("fetch source"):
        fetched = _fetch(render, lease, directory / "input")
    fetch_s = round(time.monotonic() - began, 4)
    overlay = _overlay(render, lease, environment)
    with tracing.span("render") as span:
        outcome = _run(render, lease, _order(render, fetched, overlay), environment, directory)
        span.note({f"vizportal.seconds.{name}": seconds for name, seconds in outcome.timings.items()})
    outcome = replace(outcome, timings={**_waiting(render, claimed_at), "fetch": fetch_s, **outcome.timings})
    with outcome, tracing.span("store"):
        lease.hold(keeping_s(file for file in (outcome.html, outcome.notebook) if file))
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
    order: RenderOrder,
    environment: environments.EnvironmentInfo,
    directory: Path,
) -> RenderOutcome:
    """Renders, and once more where the host was lost and nobody's own code is run twice by that."""
    host = host_get(environment)
    host_want(render.environment)

    def on_progress(progress: Progress) -> None:
        lease.beat(progress.cell, progress.cells)
        live_tell(render, progress)
        host_tell(render.environment)

    for is_last in (render.is_custom, True):
        place = directory / f"render-{int(is_last)}"
        place.mkdir()
        try:
            return render_order(
                order,
                host=host,
                directory=place,
                on_progress=on_progress,
                is_cancelled=lease.is_cancelled,
            )
        except HostLostError as error:
            logger.warning("render %s: %s", render.id, error)
            if is_last:
                raise _HostLostError(f"{error} It was not started again by itself.") from error
    raise AssertionError("unreachable")


def _overlay(render: Render, lease: Lease, environment: environments.EnvironmentInfo) -> Path | None:
    """Returns the folder of the packages that the code asks for, installed where it is not yet."""
    if not render.dependencies:
        return None
    if not settings.VIZPORTAL_ALLOW_DEPENDENCIES:
        raise VisualizationsError(
            "This server installs no packages (VIZPORTAL_ALLOW_DEPENDENCIES).", code="dependencies_refused"
        )

    def on_wait() -> None:
        lease.beat()
        if lease.is_cancelled():
            raise _StoppedError("Cancelled while its packages were installed.")

    try:
        found = overlays.overlay_get(
            environment,
            render.dependencies,
            root=Path(settings.VIZPORTAL_DATA_DIR) / "overlays",
            index_url=settings.VIZPORTAL_PACKAGE_INDEX,
            on_wait=on_wait,
        )
    except overlays.OverlayError as error:
        raise VisualizationsError(str(error), code="dependencies_failed") from error
    return found.path


def _order(render: Render, fetched: FetchedSource | None, packages: Path | None) -> RenderOrder:
    return RenderOrder(
        code=render.code,
        variables=render.arguments,
        source=fetched.source if fetched else "",
        source_uri=render.source_uri,
        # A predefined type's code is the same in all its results: it stands on the page's Code tab.
        shows_code=render.is_custom,
        kernel=render.kernel,
        packages=packages,
        sample_rows=render.sample_rows,
        title=render.visualization.title,
        timeout_s=render.timeout_s,
        max_html_bytes=settings.VIZPORTAL_MAX_HTML_BYTES,
        max_memory_bytes=settings.VIZPORTAL_MAX_RENDER_MEMORY_BYTES,
        needs_sandbox=render.is_custom and not settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
    )


def _fetch(render: Render, lease: Lease, directory: Path) -> FetchedSource | None:
    """Brings the source into `directory`; None where the render has none.

    Raises:
        SourceError: it cannot be brought.
    """
    if not render.source_uri and not render.source_metadata:
        return None

    def on_chunk() -> None:
        lease.beat()
        if lease.is_cancelled():
            raise _StoppedError("Cancelled while the source was fetched.")

    directory.mkdir()
    visualization = render.visualization
    return source_stage(
        Wanted(
            uri=render.source_uri,
            is_artifact=bool(render.source_uri) and render.source_uri == visualization.artifact_uri,
            metadata=render.source_metadata,
            name=visualization.artifact_name,
        ),
        Intake(directory=directory, max_bytes=settings.VIZPORTAL_MAX_SOURCE_BYTES, on_chunk=on_chunk),
        gateway=lambda: render_gateway(render),
        cache=source_cache(),
        allowed=settings.VIZPORTAL_SOURCE_ALLOW,
    )


def _keep(render: Render, outcome: RenderOutcome, fetched: FetchedSource | None, lock: str) -> None:
    began = time.monotonic()
    html = file_save(render, outcome.html, "result.html") if outcome.html else None
    notebook = None
    if outcome.notebook:
        notebook = file_save(render, outcome.notebook, "notebook.ipynb", is_vital=html is None)
    outcome = replace(outcome, timings={**outcome.timings, "store": round(time.monotonic() - began, 4)})
    values = _facts(outcome) | _files(html, notebook) | {"environment_lock": lock}
    if fetched:
        values |= {"source_digest": fetched.digest, "source_bytes": fetched.size_bytes}
    if not render_finish(render, state=RenderState(outcome.state), **values):
        files_delete([file.name for file in (html, notebook) if file])


def _facts(outcome: RenderOutcome) -> dict[str, Any]:
    return {
        "reason": outcome.reason,
        "message": outcome.message,
        "traceback": outcome.traceback,
        "line": outcome.line,
        "log": outcome.log,
        "cell": outcome.cells_done,
        "cells": outcome.cells,
        "peak_memory_bytes": outcome.peak_memory_bytes,
        "timings": dict(outcome.timings),
        "sandbox": outcome.sandbox,
    }


def _files(html: SavedFile | None, notebook: SavedFile | None) -> dict[str, Any]:
    values: dict[str, Any] = {"notebook": notebook.name if notebook else ""}
    if html:
        values |= {"html": html.name, "html_bytes": html.size_bytes, "html_sha256": html.sha256}
    return values
