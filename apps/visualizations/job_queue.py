"""The render queue: allowed jobs, enqueueing, and lookups.

Jobs of renders carry only (render id, attempt); functions that higher apps register get an id and an attempt of their
own. Anybody who can write to the queue server can plant a job, so jobs refuse every other function, and all callbacks
and webhooks.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django_rq
from django.conf import settings
from django.db import close_old_connections
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

from apps.telemetry import tracing
from apps.telemetry.job_traces import job_trace_store
from apps.visualizations import dispatch, events
from apps.visualizations.environments import queue_name
from apps.visualizations.models import Render

RENDER_FUNCTION = "apps.visualizations.jobs.render_execute"
# RQ's own limit is only a last resort: execution ends a render long before.
_JOB_GRACE_S = 600
_KEEP_S = 3600
# How long a worker has from taking a job to claiming its render; afterwards it counts as dead.
_TAKEN_S = 20
_TAKEN_KEY = "vizportal:taken:"
# The reconciler has seen this job on its way from the queue to a worker, which normally takes milliseconds.
_ON_ITS_WAY_KEY = "vizportal:on-its-way:"
logger = logging.getLogger(__name__)
_functions: dict[str, Callable[[str, int], None]] = {}


class JobRefusedError(Exception):
    """The queue contained a job that is not allowed."""


def function_register(name: str, function: Callable[[str, int], None]) -> None:
    """Allows jobs to call a function, which takes an id and an attempt.

    Functions other than RENDER_FUNCTION have to handle their own errors: a worker only logs them.
    """
    _functions[name] = functools.partial(_function_execute, function)


def _function_execute(function: Callable[[str, int], None], row_id: str, attempt: int) -> None:
    close_old_connections()
    function(row_id, attempt)


class RenderJob(Job):  # type: ignore[misc]
    """A job that runs only registered functions."""

    @property
    def func(self) -> Callable[[str, int], None]:
        """The function to run.

        Raises:
            JobRefusedError: the function is not registered, or the arguments are not (id, attempt).
        """
        allowed = _functions.get(str(self.func_name))
        if allowed is None or self.instance is not None:
            raise JobRefusedError(f"Job {self.id} asks for {str(self.func_name)[:100]!r}, which no job may run.")
        _check_payload(self.id, list(self.args), self.kwargs)
        return allowed

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)

    def restore(self, raw_data: Any) -> Any:
        """Reads the job from the queue, dropping webhooks that a planted job may have."""
        restored = super().restore(raw_data)
        self.webhooks: list[Any] = []
        return restored


def _check_payload(job_id: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    is_attempt = len(args) == 2 and isinstance(args[1], int) and not isinstance(args[1], bool)
    if kwargs or not is_attempt or not isinstance(args[0], str):
        raise JobRefusedError(f"Job {job_id} does not carry an id and an attempt.")
    try:
        UUID(args[0])
    except ValueError as error:
        raise JobRefusedError(f"Job {job_id} does not carry an id.") from error


def function_enqueue(name: str, row_id: UUID, attempt: int, *, timeout_s: int) -> bool:
    """Queues a registered function ahead of waiting renders, because it is short.

    Returns:
        False if the queue server does not answer; the caller's row still records the pending work.
    """
    try:
        queue_get("base").enqueue_call(
            name,
            args=(str(row_id), attempt),
            timeout=timeout_s,
            result_ttl=0,
            failure_ttl=_KEEP_S,
            description=f"{name.rpartition('.')[2]} {row_id}, attempt {attempt}",
            at_front=True,
        )
    except (RedisError, OSError) as error:
        logger.warning("%s %s not queued: %s", name, row_id, error)
        return False
    return True


def queue_get(environment: str) -> Any:
    """Returns the RQ queue of an environment, on this process's connection."""
    name = queue_name(environment)
    return _queue(name, events.connection_get(name))


@functools.lru_cache(maxsize=32)
def _queue(name: str, connection: Any) -> Any:
    return django_rq.get_queue(name, commit_mode="auto", job_class=RenderJob, connection=connection)


def job_id(render: Render) -> str:
    """Returns the id of the job for the render's current attempt."""
    return dispatch.job_name(render.id, render.attempt)


def render_announce(render: Render) -> bool:
    """Queues a new render and notifies open pages, in one round trip.

    The render cannot be in the queue yet, so this is not checked.

    Returns:
        False if the queue server does not answer; the row stays queued and the reconciler tries again.
    """
    facts = {"vizportal.render.id": str(render.id), "vizportal.environment": render.environment}
    try:
        queue = queue_get(render.environment)
        with (
            tracing.span("render enqueue", kind="producer", attributes=facts),
            queue.connection.pipeline() as pipe,
        ):
            _enqueue(queue, render, pipeline=pipe)
            pipe.publish(events.CHANNEL, events.message(render))
            job_trace_store(pipe, job_id(render))
            pipe.execute()
    except (RedisError, OSError) as error:
        logger.warning("render %s not queued: %s", render.id, error)
        return False
    # In a request's log, this links the request's id to the render's.
    logger.info("render %s queued", render.id)
    return True


def _enqueue(queue: Any, render: Render, **how: Any) -> None:
    queue.enqueue_call(
        RENDER_FUNCTION,
        args=(str(render.id), render.attempt),
        job_id=job_id(render),
        timeout=int(render.timeout_s) + settings.VIZPORTAL_HOST_START_S + _JOB_GRACE_S,
        result_ttl=_KEEP_S,
        failure_ttl=_KEEP_S,
        description=f"render {render.id}, attempt {render.attempt}",
        **how,
    )


def render_enqueue(render: Render) -> bool:
    """Queues the render's current attempt, unless it is already in the queue.

    Returns:
        False if the queue server does not answer; the row stays queued and the reconciler tries again.
    """
    try:
        _enqueue(queue_get(render.environment), render, unique=True)
    except DuplicateJobError:
        logger.info("render %s attempt %s is in the queue already", render.id, render.attempt)
    except (RedisError, OSError) as error:
        logger.warning("render %s not queued: %s", render.id, error)
        return False
    return True


def job_ids(environment: str) -> frozenset[str]:
    """Returns the ids of the jobs waiting in an environment's queue.

    Raises:
        RedisError: the queue server does not answer.
    """
    return frozenset(queue_get(environment).job_ids)


def job_exists(render: Render) -> bool:
    """Whether the queue server knows the job of the render's current attempt, in any state."""
    return bool(RenderJob.exists(job_id(render), connection=queue_get(render.environment).connection))


def job_taken_mark(pipe: Any, name: str) -> None:
    """Marks a job as taken by a worker, for as long as the worker has to claim its render."""
    pipe.set(f"{_TAKEN_KEY}{name}", "1", ex=_TAKEN_S)


def job_is_taken(render: Render) -> bool:
    """Whether a worker has just taken the job of the render's current attempt, and may be about to claim it.

    A job on its way from the queue to a worker counts as taken only the first time: if it is still on its way at the
    next call, its worker has died.

    Raises:
        RedisError: the queue server does not answer.
    """
    queue, name = queue_get(render.environment), job_id(render)
    if name.encode() in queue.connection.lrange(queue.intermediate_queue_key, 0, -1):
        return bool(queue.connection.set(f"{_ON_ITS_WAY_KEY}{name}", "1", nx=True, ex=_KEEP_S))
    # Check the mark after that list: a worker marks a job before removing it from there.
    return bool(queue.connection.exists(f"{_TAKEN_KEY}{name}"))


def worker_keys(environment: str) -> frozenset[str]:
    """Returns the keys of the live workers that serve an environment's queue; a worker may serve several.

    Raises:
        RedisError: the queue server does not answer.
    """
    queue = queue_get(environment)
    # The set keeps the names of killed workers; only a live worker's own key has not expired.
    known = [key.decode() if isinstance(key, bytes) else str(key) for key in get_keys(queue=queue)]
    return frozenset(key for key in known if queue.connection.exists(key))


def job_discard(render: Render) -> None:
    """Removes the render's job from the queue, if present. Best effort: claiming checks the row anyway."""
    try:
        queue = queue_get(render.environment)
        job = RenderJob.fetch(job_id(render), connection=queue.connection, serializer=JSONSerializer)
        job.delete()
    except Exception as error:  # noqa: BLE001  (the row is cancelled already, so nothing depends on this)
        logger.info("render %s: job not taken out: %s", render.id, error)
