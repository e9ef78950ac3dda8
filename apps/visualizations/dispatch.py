"""Gives a worker that took a job from a queue the job whose turn it is.

A queue's list is in the order of arrival, so that it needs no more than RQ does. Its jobs only wake a worker: which
render begins is asked of the database then, and the two jobs change places in one step of the queue's server. Nothing
is between lists when a process dies, every waiting render keeps a job, and the render is claimed as before, by its own
job's id and attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError
from rq.exceptions import NoSuchJobError
from rq.job import Job

from apps.visualizations import turns

# Each one that is not to be had was just taken by another worker, or waits for the reconciler to queue it again.
_MOST_TRIES: Final = 8
# KEYS: the list of the job that is wanted, that of the job at hand, and the latter's list of jobs on their way.
_SWAP: Final = """
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[2])
if redis.call('LREM', KEYS[3], 1, ARGV[2]) > 0 then redis.call('LPUSH', KEYS[3], ARGV[1]) end
return 1
"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a worker runs: a job and the queue that it came from."""

    job: Job
    queue: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A job; where it is not the one at hand, the environment in whose queue it was."""

    job_id: str
    environment: str = ""


def job_name(render_id: UUID | str, attempt: int) -> str:
    """Returns the id of the job that carries an attempt of a render."""
    return f"render-{render_id}-{attempt}"


def turn_take(job: Job, queue: Any, queues: Mapping[str, Any]) -> Turn | None:
    """Returns the job whose turn it is in place of the one that was taken from a queue, which may be the same.

    Args:
        job: of a render; its arguments are an id and an attempt.
        queues: those that the worker serves, by environment.

    Returns:
        None where nothing may begin, since the queue is paused: the job is back in its list.
    """
    try:
        wanted = _exchange(job, queue, queues)
        if wanted is None:
            _put_back(job, queue)
            return None
    except DatabaseError as error:
        # Claiming waits for the database; whose turn it is does not matter so much.
        logger.warning("job %s: run out of turn, the database does not answer: %s", job.id, error)
        wanted = _Wanted(job_id=job.id)
    if wanted.job_id == job.id:
        return Turn(job=job, queue=queue)
    try:
        found = type(job).fetch(wanted.job_id, connection=queue.connection, serializer=job.serializer)
    except NoSuchJobError:
        # The reconciler queues its render again.
        return None
    return Turn(job=found, queue=queues[wanted.environment])


def _exchange(job: Job, queue: Any, queues: Mapping[str, Any]) -> _Wanted | None:
    """Takes the job whose turn it is, and puts the one at hand back; None where nothing may begin."""
    tried: list[UUID] = []
    while len(tried) < _MOST_TRIES:
        found = turns.render_next(queues, tried)
        if found is None:
            break
        render_id, attempt, environment = found
        wanted = job_name(render_id, attempt)
        # One whose render no longer waits must not go round for ever.
        if wanted == job.id or (not tried and not turns.is_waiting(*job.args)):
            return _Wanted(job_id=job.id)
        if _swap(wanted, queues[environment], job, queue):
            return _Wanted(job_id=wanted, environment=environment)
        tried.append(render_id)
    return None if turns.is_held(*job.args) else _Wanted(job_id=job.id)


def _swap(wanted: str, from_queue: Any, job: Job, queue: Any) -> bool:
    keys = [from_queue.key, queue.key, queue.intermediate_queue_key]
    return bool(queue.connection.eval(_SWAP, len(keys), *keys, wanted, job.id))


def _put_back(job: Job, queue: Any) -> None:
    with queue.connection.pipeline() as pipe:
        pipe.lpush(queue.key, job.id)
        pipe.lrem(queue.intermediate_queue_key, 1, job.id)
        pipe.execute()
