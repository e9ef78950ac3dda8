"""The worker that takes renders from the queue, and the function that their jobs call."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from django.db import DatabaseError
from prometheus_client.core import Metric
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from apps.telemetry.job_traces import job_trace_read, job_trace_request
from apps.telemetry.worker import job_heartbeat
from apps.visualizations import dispatch, events
from apps.visualizations.environments import environment_of
from apps.visualizations.job_queue import (
    RENDER_FUNCTION,
    RenderJob,
    function_register,
    job_taken_mark,
    render_enqueue,
)
from apps.visualizations.listening import PausableWorker
from apps.visualizations.render_metrics import host_memory_metric
from apps.visualizations.services import execution, hosts

# How often an idle worker sends a heartbeat; a killed worker is still counted for up to a minute and a half.
_WORKER_TTL_S = 30
logger = logging.getLogger(__name__)


def render_execute(render_id: str, attempt: int) -> None:
    """Carries out one attempt of a render, and queues the next one after a machine fault."""
    again = execution.render_execute(render_id, attempt, job_heartbeat)
    if again is not None:
        render_enqueue(again)


function_register(RENDER_FUNCTION, render_execute)


class RenderWorker(PausableWorker):
    """A worker that reads only JSON. Renders run in their own processes, so the worker does not fork.

    `manage.py rqworker` passes the pickle serializer by default, and unpickling a planted job runs its code before any
    check could refuse it.

    A render's row has its outcome, so RQ's own records (executions, started, finished, results) are written only for
    failed
    jobs: 4 round trips per job instead of 20.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"serializer": JSONSerializer, "job_class": RenderJob, "worker_ttl": _WORKER_TTL_S}
        super().__init__(*args, **kwargs)

    def work(self, *args: Any, **kwargs: Any) -> Any:
        """Works until asked to stop; meanwhile the render hosts of its environments import their libraries."""
        try:
            # Left by a killed worker; the reconciler may run on another machine.
            hosts.work_dirs_sweep()
        except (DatabaseError, OSError) as error:
            logger.warning("work directories not swept: %s", error)
        self.on_heartbeat()
        return super().work(*args, **kwargs)

    def on_heartbeat(self) -> None:
        """Starts missing render hosts, and publishes their state.

        The environment of the first queue is started in advance, the others once they are used: importing TensorFlow
        takes ten seconds and half a gigabyte, and most users of a small machine never need it.
        """
        for number, name in enumerate(self.queue_names()):
            key = environment_of(name)
            if number == 0 or hosts.host_is_wanted(key):
                hosts.host_warm(key)
                hosts.host_publish(key)

    def metrics_read(self) -> list[Metric]:
        """Returns the memory metric of this machine's render hosts."""
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
        except:  # noqa: E722  (as in RQ: a job that a signal ended has failed too)
            self._finalize_failure(job, queue, self.prepare_execution(job), sys.exc_info())
            self.set_state(WorkerStatus.IDLE)
        else:
            self._note_end(job)

    def _note_start(self, job: Job, queue: Any) -> str:
        with self.connection.pipeline(transaction=False) as pipe:
            # Further heartbeats come from the render itself, together with those of its lease.
            super().heartbeat(pipeline=pipe)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            job_taken_mark(pipe, job.id)
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
        """Checks for suspension; also pauses while this machine cannot render, leaving jobs to other workers."""
        if not burst:
            hosts.work_root_await(self.name, self._is_waiting)
        super().check_for_suspension(burst)

    def _is_waiting(self) -> bool:
        self.heartbeat()
        return not self._stop_requested

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Sends the worker's state only when it changes."""
        if state != self._state:
            super().set_state(state, pipeline=pipeline)


def _is_render(job: Job) -> bool:
    try:
        return bool(job.func) and job.func_name == RENDER_FUNCTION
    except Exception:  # noqa: BLE001  (planted data may be wrong in any way; RQ records how)
        return False
