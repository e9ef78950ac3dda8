"""The queue's side: what a job may be, how one is put in, and the worker that runs it.

The queue carries (render id, attempt) and nothing else. Whoever can write to the queue server can still plant any
job there, so the worker refuses every other function, every callback and every webhook.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django_rq
from django.conf import settings
from django.db import close_old_connections
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

from apps.visualizations.models import Render
from apps.visualizations.services import execution

ALLOWED_FUNCTION = "apps.visualizations.jobs.render_execute"
# RQ's own limit is the last resort only: execution ends a render long before.
_JOB_GRACE_S = 300
_KEEP_S = 3600
# How often an idle worker says that it lives; one that was killed is counted for up to a minute and a half.
_WORKER_TTL_S = 30
logger = logging.getLogger(__name__)


class JobRefusedError(Exception):
    """The queue held something that is no render."""


def render_execute(render_id: str, attempt: int) -> None:
    """The one function that a job may name."""
    close_old_connections()
    execution.render_execute(render_id, attempt)


class RenderJob(Job):  # type: ignore[misc]
    """A job that runs `render_execute` or nothing."""

    @property
    def func(self) -> Callable[[str, int], None]:
        """The function to run.

        Raises:
            JobRefusedError: the job names another one, or its arguments are not (render id, attempt).
        """
        if self.func_name != ALLOWED_FUNCTION or self.instance is not None:
            raise JobRefusedError(f"Job {self.id} asks for {str(self.func_name)[:100]!r}, which no job may run.")
        _check_payload(self.id, list(self.args), self.kwargs)
        return render_execute

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)

    def restore(self, raw_data: Any) -> Any:
        """Reads the job from the queue, without what a planted one might have beside its function."""
        restored = super().restore(raw_data)
        self.webhooks: list[Any] = []
        return restored


def _check_payload(job_id: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    is_attempt = len(args) == 2 and isinstance(args[1], int) and not isinstance(args[1], bool)
    if kwargs or not is_attempt or not isinstance(args[0], str):
        raise JobRefusedError(f"Job {job_id} does not carry a render's id and attempt.")
    try:
        UUID(args[0])
    except ValueError as error:
        raise JobRefusedError(f"Job {job_id} does not carry a render's id.") from error


class RenderWorker(SimpleWorker):  # type: ignore[misc]
    """A worker that reads JSON only. The render is a process of its own, so the worker need not fork.

    `manage.py rqworker` passes the pickle serializer unless told otherwise; unpickling a planted job runs its code
    before any check could refuse it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"serializer": JSONSerializer, "job_class": RenderJob, "worker_ttl": _WORKER_TTL_S}
        super().__init__(*args, **kwargs)


def queue_name(environment: str) -> str:
    """Returns the name of the queue of an environment's workers."""
    return f"render-{environment}"


def queue_exists(environment: str) -> bool:
    """Whether this installation has a queue, and so workers, for the environment."""
    return queue_name(environment) in settings.RQ_QUEUES


def queue_get(environment: str) -> Any:
    """Returns the RQ queue of an environment."""
    return django_rq.get_queue(queue_name(environment), commit_mode="auto", job_class=RenderJob)


def job_id(render: Render) -> str:
    """Returns the id of the job that carries this attempt."""
    return f"render-{render.id}-{render.attempt}"


def render_enqueue(render: Render) -> bool:
    """Puts the render's present attempt into its queue.

    Returns:
        False where the queue server does not answer; the row stays queued and the reconciler tries again.
    """
    try:
        queue_get(render.environment).enqueue_call(
            ALLOWED_FUNCTION,
            args=(str(render.id), render.attempt),
            job_id=job_id(render),
            timeout=int(render.timeout_s) + _JOB_GRACE_S,
            result_ttl=_KEEP_S,
            failure_ttl=_KEEP_S,
            description=f"render {render.id}, attempt {render.attempt}",
            unique=True,
        )
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


def worker_count(environment: str) -> int:
    """Returns how many workers serve an environment's queue.

    Raises:
        RedisError: the queue server does not answer.
    """
    queue = queue_get(environment)
    keys = get_keys(queue=queue)
    # The set keeps the names of workers that were killed; only a living one's own key has not expired.
    return int(queue.connection.exists(*keys)) if keys else 0


def job_discard(render: Render) -> None:
    """Takes the render's job out of the queue, where it is in there; best effort, claiming checks the row."""
    try:
        queue = queue_get(render.environment)
        job = RenderJob.fetch(job_id(render), connection=queue.connection, serializer=JSONSerializer)
        job.delete()
    except Exception as error:  # noqa: BLE001  (the row is cancelled already, so nothing depends on this)
        logger.info("render %s: job not taken out: %s", render.id, error)
