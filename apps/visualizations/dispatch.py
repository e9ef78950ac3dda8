"""Exchanges the job that a worker took from a queue for the job whose turn it is.

A queue's list is in order of arrival, as RQ expects. Its jobs only wake a worker: the worker then asks the database
which render begins, and swaps the two jobs in one atomic step in the queue server. If a process dies, no job is lost
between lists, each waiting render still has a job, and the render is claimed as before, by its own job's id and
attempt.
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

# A wanted job that is missing was just taken by another worker, or waits for the reconciler to queue it again.
_MOST_TRIES: Final = 8
# KEYS: the list of the wanted job, the list of the job at hand, and the latter's intermediate list.
_SWAP: Final = """
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[2])
if redis.call('LREM', KEYS[3], 1, ARGV[2]) > 0 then redis.call('LPUSH', KEYS[3], ARGV[1]) end
return 1
"""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a worker runs: a job, and the queue it came from."""

    job: Job
    queue: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A job id, with the environment of its queue; "" if it is the job at hand."""

    job_id: str
    environment: str = ""


def job_name(render_id: UUID | str, attempt: int) -> str:
    """Returns the id of the job for an attempt of a render."""
    return f"render-{render_id}-{attempt}"


def turn_take(job: Job, queue: Any, queues: Mapping[str, Any]) -> Turn | None:
    """Returns the job whose turn it is; this may be the one that was taken from the queue.

    Args:
        job: a render's job; its arguments are an id and an attempt.
        queues: the queues that the worker serves, by environment.

    Returns:
        None if nothing may begin: the queue is paused, and the job is back in its list.
    """
    try:
        wanted = _exchange(job, queue, queues)
        if wanted is None:
            _put_back(job, queue)
            return None
    except DatabaseError as error:
        # Claiming waits for the database; the order of turns matters less.
        logger.warning("job %s: run out of turn, the database does not answer: %s", job.id, error)
        wanted = _Wanted(job_id=job.id)
    if wanted.job_id == job.id:
        return Turn(job=job, queue=queue)
    try:
        found = type(job).fetch(wanted.job_id, connection=queue.connection, serializer=job.serializer)
    except NoSuchJobError:
        # The reconciler queues this render again.
        return None
    return Turn(job=found, queue=queues[wanted.environment])


def _exchange(job: Job, queue: Any, queues: Mapping[str, Any]) -> _Wanted | None:
    """Takes the job whose turn it is and puts the one at hand back; None if nothing may begin."""
    tried: list[UUID] = []
    while len(tried) < _MOST_TRIES:
        found = turns.render_next(queues, tried)
        if found is None:
            break
        render_id, attempt, environment = found
        wanted = job_name(render_id, attempt)
        # A job whose render no longer waits must not circulate forever.
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
