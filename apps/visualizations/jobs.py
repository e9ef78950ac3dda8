"""The queue's side: what a job may be, how one is put in, and the worker that runs it.

The queue carries (render id, attempt) and nothing else; what an app above registered carries an id and an attempt of
its own. Whoever can write to the queue server can still plant any job there, so the worker refuses every other
function, every callback and every webhook.
"""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django_rq
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from prometheus_client.core import Metric
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus
from rq.worker_registration import get_keys

from apps.telemetry import tracing
from apps.telemetry.job_traces import job_trace_read, job_trace_request, job_trace_store
from apps.telemetry.worker import job_heartbeat
from apps.visualizations import dispatch, events
from apps.visualizations.environments import environment_of, queue_name
from apps.visualizations.listening import PausableWorker
from apps.visualizations.models import Render
from apps.visualizations.render_metrics import host_memory_metric
from apps.visualizations.services import execution, hosts

ALLOWED_FUNCTION = "apps.visualizations.jobs.render_execute"
# RQ's own limit is the last resort only: execution ends a render long before.
_JOB_GRACE_S = 600
_KEEP_S = 3600
# How often an idle worker sends a heartbeat; one that was killed is counted for up to a minute and a half.
_WORKER_TTL_S = 30
# How long a worker has from taking a job to claiming its render; after that it counts as dead.
_TAKEN_S = 20
_TAKEN_KEY = "vizportal:taken:"
# The reconciler has seen this job on its way from the queue to a worker, which usually takes a few milliseconds.
_ON_ITS_WAY_KEY = "vizportal:on-its-way:"
logger = logging.getLogger(__name__)


_functions: dict[str, Callable[[str, int], None]] = {}


class JobRefusedError(Exception):
    """The queue held something that is no render."""


def function_register(name: str, function: Callable[[str, int], None]) -> None:
    """Lets jobs name one more function, of an app above this one; it takes an id and an attempt.

    Its errors must be its own to handle: a worker only logs them.
    """
    _functions[name] = functools.partial(_function_execute, function)


def _function_execute(function: Callable[[str, int], None], row_id: str, attempt: int) -> None:
    close_old_connections()
    function(row_id, attempt)


def function_enqueue(name: str, row_id: UUID, attempt: int, *, timeout_s: int) -> bool:
    """Queues a registered function before the renders that wait: it is short.

    Returns:
        False where the queue server does not answer; the caller's row says that it is still to be done.
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


def render_execute(render_id: str, attempt: int) -> None:
    """The one function that a job may name."""
    close_old_connections()
    again = execution.render_execute(render_id, attempt, job_heartbeat)
    if again is not None:
        render_enqueue(again)


class RenderJob(Job):  # type: ignore[misc]
    """A job that runs `render_execute`, a registered function, or nothing."""

    @property
    def func(self) -> Callable[[str, int], None]:
        """The function to run.

        Raises:
            JobRefusedError: the job names another one, or its arguments are not (id, attempt).
        """
        allowed = {**_functions, ALLOWED_FUNCTION: render_execute}.get(str(self.func_name))
        if allowed is None or self.instance is not None:
            raise JobRefusedError(f"Job {self.id} asks for {str(self.func_name)[:100]!r}, which no job may run.")
        _check_payload(self.id, list(self.args), self.kwargs)
        return allowed

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)

    def restore(self, raw_data: Any) -> Any:
        """Reads the job from the queue, without what a planted one might have beside its function."""
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


class RenderWorker(PausableWorker):
    """A worker that reads JSON only. The render is a process of its own, so the worker need not fork.

    `manage.py rqworker` passes the pickle serializer unless told otherwise; unpickling a planted job runs its code
    before any check could refuse it.

    A render's outcome is in its row, so RQ's own records (executions, started, finished, results) are written for
    failed jobs only: 4 round trips for a job instead of 20.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"serializer": JSONSerializer, "job_class": RenderJob, "worker_ttl": _WORKER_TTL_S}
        super().__init__(*args, **kwargs)

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """Works until asked to stop; the render hosts of its environments import their libraries meanwhile."""
        try:
            # What a killed worker left: the reconciler may run on another machine.
            hosts.work_dirs_sweep()
        except (DatabaseError, OSError) as error:
            logger.warning("work directories not swept: %s", error)
        self.on_heartbeat()
        return super().work(*args, **kwargs)

    def on_heartbeat(self) -> None:
        """Starts the render hosts that are missing, and publishes their state.

        The environment of the first queue is prepared in advance, the others once they were needed: TensorFlow takes
        ten seconds to import and half a gigabyte, and most users of a small machine never need it.
        """
        for number, name in enumerate(self.queue_names()):
            key = environment_of(name)
            if number == 0 or hosts.host_is_wanted(key):
                hosts.host_warm(key)
                hosts.host_publish(key)

    def metrics_read(self) -> list[Metric]:
        """Returns the memory of this machine's render hosts."""
        return [host_memory_metric(hosts.hosts_memory())]

    def job_connection(self) -> Any:
        """Returns the connection that renders use."""
        return events.connection_get()

    def execute_job(self, job: Job, queue: Any) -> None:
        """Runs a render. Jobs that are not renders fall through to RQ, which records why they failed."""
        if not _is_render(job):
            super().execute_job(job, queue)
            return
        turn = dispatch.turn_take(job, queue, self.queues_by_environment())
        if turn is None:
            self.look_again()
            return
        job, queue = turn.job, turn.queue
        traceparent = self._note_start(job, queue)
        try:
            with (
                self.render_monitored(job, traceparent),
                self.death_penalty_class(job.timeout, JobTimeoutException, job_id=job.id),
            ):
                job.perform()
        except:  # noqa: E722  (as rq itself: a job that a signal ended has failed too)
            self._finalize_failure(job, queue, self.prepare_execution(job), sys.exc_info())
            self.set_state(WorkerStatus.IDLE)
        else:
            self._note_end(job)

    def _note_start(self, job: Job, queue: Any) -> str:
        with self.connection.pipeline(transaction=False) as pipe:
            # The next ones come from the render itself, with those of its lease.
            super().heartbeat(pipeline=pipe)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            pipe.set(f"{_TAKEN_KEY}{job.id}", "1", ex=_TAKEN_S)
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            job_trace_request(pipe, job.id)
            return job_trace_read(pipe.execute())

    def _note_end(self, job: Job) -> None:
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.delete(job.key)
            self.increment_successful_job_count(pipeline=pipe)
            self.set_state(WorkerStatus.IDLE, pipeline=pipe)
            super().heartbeat(pipeline=pipe)
            pipe.execute()
        self.heartbeat_sent_at = time.monotonic()

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001  (rq's own signature)
        """Asks whether to wait; leaves jobs to others where this machine cannot render."""
        if not burst:
            hosts.work_root_await(self.name, self._is_waiting)
        super().check_for_suspension(burst)

    def _is_waiting(self) -> bool:
        self.heartbeat()
        return not self._stop_requested

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Sends the worker's state where it has changed."""
        if state != self._state:
            super().set_state(state, pipeline=pipeline)


def _is_render(job: Job) -> bool:
    try:
        return job.func is render_execute
    except Exception:  # noqa: BLE001  (planted data can be wrong in any way; rq's own path says how)
        return False


def queue_get(environment: str) -> Any:
    """Returns the RQ queue of an environment, on this process's connection."""
    name = queue_name(environment)
    return _queue(name, events.connection_get(name))


@functools.lru_cache(maxsize=32)
def _queue(name: str, connection: Any) -> Any:
    return django_rq.get_queue(name, commit_mode="auto", job_class=RenderJob, connection=connection)


def job_id(render: Render) -> str:
    """Returns the id of the job that carries this attempt."""
    return dispatch.job_name(render.id, render.attempt)


def render_announce(render: Render) -> bool:
    """Puts a render that was just written into its queue and tells open pages, in one round trip.

    Nobody can have queued it before, so nothing is asked about that.

    Returns:
        False where the queue server does not answer; the row stays queued and the reconciler tries again.
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
    # In the log of a request: leads from its id to the render's.
    logger.info("render %s queued", render.id)
    return True


def _enqueue(queue: Any, render: Render, **how: Any) -> None:
    queue.enqueue_call(
        ALLOWED_FUNCTION,
        args=(str(render.id), render.attempt),
        job_id=job_id(render),
        timeout=int(render.timeout_s) + settings.VIZPORTAL_HOST_START_S + _JOB_GRACE_S,
        result_ttl=_KEEP_S,
        failure_ttl=_KEEP_S,
        description=f"render {render.id}, attempt {render.attempt}",
        **how,
    )


def render_enqueue(render: Render) -> bool:
    """Puts the render's present attempt into its queue, where it is not in there already.

    Returns:
        False where the queue server does not answer; the row stays queued and the reconciler tries again.
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
    """Returns the ids of the jobs that wait in an environment's queue.

    Raises:
        RedisError: the queue server does not answer.
    """
    return frozenset(queue_get(environment).job_ids)


def job_exists(render: Render) -> bool:
    """Whether the queue server knows the job of the render's present attempt, in whatever state."""
    return bool(RenderJob.exists(job_id(render), connection=queue_get(render.environment).connection))


def job_is_taken(render: Render) -> bool:
    """Whether a worker has just taken the job of the render's present attempt, and may be about to claim it.

    A job that is on its way from the queue to a worker counts as taken the first time only: if it is still there at the
    next call, its worker has died.

    Raises:
        RedisError: the queue server does not answer.
    """
    queue, name = queue_get(render.environment), job_id(render)
    if name.encode() in queue.connection.lrange(queue.intermediate_queue_key, 0, -1):
        return bool(queue.connection.set(f"{_ON_ITS_WAY_KEY}{name}", "1", nx=True, ex=_KEEP_S))
    # Looked at after that list: a worker marks a job before it takes it out of there.
    return bool(queue.connection.exists(f"{_TAKEN_KEY}{name}"))


def worker_keys(environment: str) -> frozenset[str]:
    """Returns the keys of the living workers that serve an environment's queue; one may serve several.

    Raises:
        RedisError: the queue server does not answer.
    """
    queue = queue_get(environment)
    # The set keeps the names of workers that were killed; only a living one's own key has not expired.
    known = [key.decode() if isinstance(key, bytes) else str(key) for key in get_keys(queue=queue)]
    return frozenset(key for key in known if queue.connection.exists(key))


def job_discard(render: Render) -> None:
    """Takes the render's job out of the queue, where it is in there; best effort, claiming checks the row."""
    try:
        queue = queue_get(render.environment)
        job = RenderJob.fetch(job_id(render), connection=queue.connection, serializer=JSONSerializer)
        job.delete()
    except Exception as error:  # noqa: BLE001  (the row is cancelled already, so nothing depends on this)
        logger.info("render %s: job not taken out: %s", render.id, error)
