"""The trace of the request that queued a job, stored beside the job in the queue server.

A job carries only (render id, attempt), so its `traceparent` has a separate key. All commands join pipelines that are
sent anyway.
"""

from __future__ import annotations

from typing import Any, Final

from apps.telemetry import tracing

_KEY: Final = "vizportal:trace:"
# Nobody needs the trace of a request whose render waited longer.
_EXPIRE_S: Final = 6 * 3600


def job_trace_store(pipe: Any, job_id: str) -> None:
    """Stores the current trace for a job that is being queued; does nothing if tracing is off."""
    if traceparent := tracing.traceparent():
        pipe.set(f"{_KEY}{job_id}", traceparent, ex=_EXPIRE_S)


def job_trace_request(pipe: Any, job_id: str) -> None:
    """Reads and deletes a job's trace with the pipeline's last command; does nothing if tracing is off."""
    if tracing.is_on():
        pipe.getdel(f"{_KEY}{job_id}")


def job_trace_read(replies: list[Any]) -> str:
    """Returns the `traceparent` from the pipeline's replies; "" if there is none."""
    reply = replies[-1] if tracing.is_on() and replies else None
    return reply.decode("ascii", "replace") if isinstance(reply, bytes) else ""
