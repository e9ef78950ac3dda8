"""The log of a step.

It comes from the pod while Kubeflow has it, else from the artifact `executor-logs`, which outlives the pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from apps.runs import exceptions
from apps.runs.entities import Attempt, Run, Step, StepLog
from apps.runs.gateway import connection as http
from apps.runs.gateway import objects
from apps.runs.gateway.connection import Connection

LONGEST_BYTES: Final = 2 * 1024**2
MOST_READ_BYTES: Final = 256 * 1024**2
_PATH: Final = "/k8s/pod/logs"
# Written by KFP 2, and by Argo if it archives logs.
_KEPT_LOGS: Final = ("executor-logs", "main-logs")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """A log's bytes, readable once, inside the `with` block that opened it; `note` says where they come from."""

    chunks: Iterator[bytes]
    note: str = ""


@contextmanager
def open_log(connection: Connection, run: Run, step: Step, attempt: Attempt | None = None) -> Iterator[LogStream]:
    """Opens a step's log, or that of one of its attempts.

    Raises:
        NotFoundError: there is none; says why.
        EndpointDownError, NotSignedInError, ForbiddenError: the endpoint cannot be asked.
    """
    with ExitStack() as opened:
        yield _opened(opened, connection, run, step, attempt)


def read_log(connection: Connection, run: Run, step: Step, attempt: Attempt | None = None) -> StepLog:
    """Returns the last two megabytes of a step's log, or a note that says why there is none.

    Raises:
        EndpointDownError, NotSignedInError, ForbiddenError: the endpoint cannot be asked.
    """
    try:
        with open_log(connection, run, step, attempt) as stream:
            return _tail(stream.chunks, note=stream.note)
    except exceptions.NotFoundError as error:
        return StepLog(text="", note=str(error))


def _opened(opened: ExitStack, connection: Connection, run: Run, step: Step, attempt: Attempt | None) -> LogStream:
    pod_name = attempt.pod_name if attempt else step.pod_name
    note = _no_pod_note(step, attempt)
    if pod_name:
        query = _query(connection, run, pod_name, step, attempt)
        try:
            response = opened.enter_context(http.open_stream(connection, _PATH, query))
            return LogStream(chunks=http.read_chunks(connection, response))
        except (exceptions.NotFoundError, exceptions.EndpointError) as error:
            has_ended = (attempt.state if attempt else step.state).is_final
            note = f"The log of pod {pod_name} is {'gone' if has_ended else 'not there yet'}: {error}"
    # The stored log is the last attempt's.
    is_last = attempt is None or attempt is step.attempts[-1]
    kept = next((item for item in step.artifacts if item.name in _KEPT_LOGS and item.uri), None) if is_last else None
    if kept is None:
        raise exceptions.NotFoundError(note)
    namespace = run.namespace or connection.endpoint.namespace
    try:
        stored = opened.enter_context(objects.open_artifact(connection, kept.uri, namespace=namespace))
    except (exceptions.NotFoundError, exceptions.EndpointError) as error:
        raise exceptions.NotFoundError(note) from error
    return LogStream(chunks=stored.chunks, note="From the log Kubeflow kept after the pod was gone.")


def _query(connection: Connection, run: Run, pod_name: str, step: Step, attempt: Attempt | None) -> dict[str, str]:
    query = {"podname": pod_name, "runid": run.id}
    namespace = run.namespace or connection.endpoint.namespace
    if namespace:
        query["podnamespace"] = namespace
    created_at = (attempt.started_at if attempt else None) or step.started_at or run.created_at
    if created_at:
        query["createdat"] = f"{created_at:%Y-%m-%d}"
    return query


def _tail(chunks: Iterable[bytes], note: str = "") -> StepLog:
    kept, read, left_lines = bytearray(), 0, 0
    for chunk in chunks:
        kept += chunk
        read += len(chunk)
        if len(kept) > 2 * LONGEST_BYTES:
            left_lines += _drop_front(kept)
        if read > MOST_READ_BYTES:
            break
    if len(kept) > LONGEST_BYTES:
        left_lines += _drop_front(kept)
    text = kept.decode("utf-8", "replace")
    empty = "" if text else "The log is empty."
    return StepLog(text=text, is_cut=read > len(kept), note=note or empty, first_line=left_lines + 1)


def _drop_front(kept: bytearray) -> int:
    """Keeps the last LONGEST_BYTES, from the start of a line; returns the number of lines dropped."""
    cut = len(kept) - LONGEST_BYTES
    line_end = kept.find(b"\n", cut - 1)
    # A line longer than the limit is shown from its middle.
    cut = line_end + 1 if line_end != -1 else cut
    left_lines = kept.count(b"\n", 0, cut)
    del kept[:cut]
    return left_lines


def _no_pod_note(step: Step, attempt: Attempt | None) -> str:
    if attempt is not None:
        return "Kubeflow names no pod for this attempt, so there is no log to ask for."
    if step.started_at is None:
        return "This step has not started, so it has no log."
    return "Kubeflow names no pod for this step, so there is no log to ask for."
