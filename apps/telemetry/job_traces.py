"""The trace of the request that queued a job, kept beside the job in the queue's server.

A job carries (render id, attempt) and nothing else, so its `traceparent` has a key of its own. All commands go into
pipelines that are sent anyway.
"""

from __future__ import annotations

from typing import Any, Final

from apps.telemetry import tracing

_KEY: Final = "vizportal:trace:"
# Nobody looks at the trace of a request for a render that waited longer.
_EXPIRE_S: Final = 6 * 3600


def job_trace_store(pipe: Any, job_id: str) -> None:
    """Stores the present trace of a job that is being queued; does nothing where nothing is traced."""
    if traceparent := tracing.traceparent():
        pipe.set(f"{_KEY}{job_id}", traceparent, ex=_EXPIRE_S)


def job_trace_request(pipe: Any, job_id: str) -> None:
    """Requests a job's trace as the pipeline's last command, and deletes it; does nothing where nothing is traced."""
    if tracing.is_on():
        pipe.getdel(f"{_KEY}{job_id}")


def job_trace_read(replies: list[Any]) -> str:
    """Returns the `traceparent` from the replies of the pipeline; "" where there is none."""
    reply = replies[-1] if tracing.is_on() and replies else None
    return reply.decode("ascii", "replace") if isinstance(reply, bytes) else ""
