"""A step's log: from its pod while Kubeflow still has it, else from the `executor-logs` artifact that
outlives it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from apps.runs import exceptions
from apps.runs.entities import Run, Step, StepLog
from apps.runs.gateway import connection as http
from apps.runs.gateway import objects
from apps.runs.gateway.connection import Connection

LONGEST_BYTES: Final = 2 * 1024**2
_PATH: Final = "/k8s/pod/logs"
_KEPT_LOG: Final = "executor-logs"
_MOST_READ_BYTES: Final = 256 * 1024**2


def read_log(connection: Connection, run: Run, step: Step) -> StepLog:
    """Returns the last two megabytes of a step's log, or a note that says why there is none.

    Raises:
        EndpointDownError, NotSignedInError, ForbiddenError: the endpoint cannot be asked.
    """
    if not step.pod_name:
        return _kept(connection, step, _no_pod_note(step))
    query = {"podname": step.pod_name, "runid": run.id}
    if connection.endpoint.namespace:
        query["podnamespace"] = connection.endpoint.namespace
    created_at = step.started_at or run.created_at
    if created_at:
        query["createdat"] = f"{created_at:%Y-%m-%d}"
    try:
        with http.open_stream(connection, _PATH, query) as response:
            return _tail(http.read_chunks(connection, response))
    except (exceptions.NotFoundError, exceptions.EndpointError) as error:
        return _kept(connection, step, f"The log of pod {step.pod_name} is gone: {error}")


def _kept(connection: Connection, step: Step, note: str) -> StepLog:
    kept = next((item for item in step.artifacts if item.name == _KEPT_LOG and item.uri), None)
    if kept is None:
        return StepLog(text="", note=note)
    try:
        with objects.open_artifact(connection, kept.uri, namespace=connection.endpoint.namespace) as stream:
            return _tail(stream.chunks, note="From the log Kubeflow kept after the pod was gone.")
    except (exceptions.NotFoundError, exceptions.EndpointError):
        return StepLog(text="", note=note)


def _tail(chunks: Iterable[bytes], note: str = "") -> StepLog:
    kept, read = bytearray(), 0
    for chunk in chunks:
        kept += chunk
        read += len(chunk)
        if len(kept) > 2 * LONGEST_BYTES:
            del kept[:-LONGEST_BYTES]
        if read > _MOST_READ_BYTES:
            break
    text = bytes(kept[-LONGEST_BYTES:]).decode("utf-8", "replace")
    return StepLog(text=text, is_cut=read > LONGEST_BYTES, note=note or ("" if text else "The log is empty."))


def _no_pod_note(step: Step) -> str:
    if step.started_at is None:
        return "This step has not started, so it has no log."
    return "Kubeflow names no pod for this step, so there is no log to ask for."
