"""API operations of pauses: administrators pause and resume queues, everybody sees which are paused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from apps.accounts.caller import caller_of
from apps.queues import selectors, services
from apps.visualizations.api.schemas import errors
from apps.visualizations.models import QueuePause

router = Router(tags=["renders"])
_ENVIRONMENT = Field("", max_length=100, description="Such as base; empty for all queues.")


class PauseIn(Schema):
    """The queue to pause, and the reason that pages show."""

    environment: str = _ENVIRONMENT
    reason: str


class ResumeIn(Schema):
    """The pause to end, by the same environment as it was created."""

    environment: str = _ENVIRONMENT


class PauseOut(Schema):
    """A pause. `running`: number of renders still running; the queue is drained when it is 0."""

    environment: str
    reason: str
    paused_by: str
    paused_at: datetime
    running: int
    drained: bool


class PausesOut(Schema):
    """All pauses; there are few, so a single page contains them."""

    items: list[PauseOut]
    next: str | None = None


class ResumeOut(Schema):
    """Whether a pause was ended."""

    resumed: bool


@router.get("/pauses", response={200: PausesOut, **errors()}, url_name="queue_pauses")
def pauses_list(request: HttpRequest) -> Any:  # noqa: ARG001  (everybody who is signed in may know)
    """Lists the paused queues. To wait for running renders, repeat until `drained` is true."""
    return {"items": [_shape(each) for _, each in sorted(selectors.pause_list().items())]}


@router.post("/pause", response={200: PauseOut, **errors(400)}, url_name="queue_pause")
def queue_pause(request: HttpRequest, payload: PauseIn) -> Any:
    """Pauses a queue, or all: workers begin nothing new. Repeating it changes the reason. Administrators only."""
    return _shape(services.queue_pause(caller_of(request), payload.environment, payload.reason))


@router.post("/drain", response={200: PauseOut, **errors(400)}, url_name="queue_drain")
def queue_drain(request: HttpRequest, payload: PauseIn) -> Any:
    """Same as `pause`, for clients that then wait with `GET /queue/pauses` until nothing runs. Administrators only."""
    return queue_pause(request, payload)


@router.post("/resume", response={200: ResumeOut, **errors(400)}, url_name="queue_resume")
def queue_resume(request: HttpRequest, payload: ResumeIn) -> Any:
    """Ends a pause; repeated calls are harmless. Administrators only."""
    return {"resumed": services.queue_resume(caller_of(request), payload.environment)}


def _shape(pause: QueuePause) -> dict[str, Any]:
    running = selectors.running_count(pause.environment)
    return {
        "environment": pause.environment,
        "reason": pause.reason,
        "paused_by": pause.paused_by,
        "paused_at": pause.paused_at,
        "running": running,
        "drained": running == 0,
    }
