"""Times and traces every request to Kubeflow in one place, and counts failures by kind.

Requests to an endpoint that is known not to answer are not sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from apps.runs import exceptions
from apps.runs.entities import Endpoint
from apps.runs.gateway.silence import silences
from apps.telemetry import tracing
from apps.telemetry.metrics import KUBEFLOW_ERRORS, KUBEFLOW_SECONDS

_KINDS: Final = {
    exceptions.EndpointDownError: "down",
    exceptions.NotSignedInError: "not_signed_in",
    exceptions.ForbiddenError: "forbidden",
    exceptions.NotFoundError: "not_found",
    exceptions.InvalidRequestError: "invalid",
}


@contextmanager
def watched(endpoint: Endpoint, call: Literal["api", "lineage", "stream"]) -> Iterator[None]:
    """Context manager around one request, from sending it to the head of its answer (a stream) or to all of it.

    Raises:
        EndpointDownError: the endpoint is known not to answer; nothing is sent.
    """
    with silences.observed(endpoint.host, call), _measured(endpoint, call):
        yield


@contextmanager
def _measured(endpoint: Endpoint, call: str) -> Iterator[None]:
    began = time.perf_counter()
    attributes = {"server.address": endpoint.host, "vizportal.endpoint": endpoint.key}
    try:
        with tracing.span(f"kubeflow {call}", kind="client", attributes=attributes):
            yield
    except exceptions.RunsError as error:
        found = (word for kind, word in _KINDS.items() if isinstance(error, kind))
        KUBEFLOW_ERRORS.labels(endpoint.key, next(found, "error")).inc()
        raise
    finally:
        KUBEFLOW_SECONDS.labels(endpoint.key, call).observe(time.perf_counter() - began)
