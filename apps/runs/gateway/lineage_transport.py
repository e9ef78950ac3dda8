"""Two transports to one ML Metadata store: gRPC-Web at the endpoint's host, or native gRPC at a separate address."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc
from mlmd import grpc_web, messages

from apps.runs import exceptions
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.request_metrics import watched

_LARGEST_ANSWER_BYTES: Final = 64 * 1024**2


def call(connection: Connection, method: str, **fields: Any) -> Any:
    """Makes one call to the store.

    Args:
        connection: the endpoint and its credentials.
        method: of MetadataStoreService; its messages are declared in packages/mlmd/src/mlmd.
        fields: the request's.

    Returns:
        The method's response message.

    Raises:
        RunsError: no answer, a refusal, or an answer that is not ML Metadata's.
    """
    request = messages.message_class(f"{method}Request")(**fields)
    ask = _native if connection.metadata_address else _web
    return ask(connection, method, request)


def _web(connection: Connection, method: str, request: Any) -> Any:
    body, headers = http.post(
        connection, messages.SERVICE_PATH + method, grpc_web.encode_request(request), grpc_web.REQUEST_HEADERS
    )
    try:
        return grpc_web.decode_response(body, headers, messages.message_class(f"{method}Response"))
    except grpc_web.GrpcWebError as error:
        host = connection.endpoint.host
        raise exceptions.EndpointError(f"The lineage store behind {host} answered {method} with: {error}") from error


def _native(connection: Connection, method: str, request: Any) -> Any:
    response_class = messages.message_class(f"{method}Response")
    ask = _channel(connection.metadata_address, connection.ca_file).unary_unary(
        messages.SERVICE_PATH + method,
        request_serializer=type(request).SerializeToString,
        response_deserializer=response_class.FromString,
    )
    # HTTP/2 allows lower-case names only, and gRPC sets its own `user-agent`.
    sent = tuple((name.lower(), value) for name, value in connection.headers().items() if name != "User-Agent")
    with watched(connection.endpoint, "lineage"):
        try:
            return ask(request, timeout=connection.timeout_s, metadata=sent)
        except grpc.RpcError as error:
            raise _error(connection.metadata_address, method, connection.timeout_s, error) from error


@functools.lru_cache(maxsize=32)
def _channel(address: str, ca_file: str) -> grpc.Channel:
    parts = urlsplit(address)
    options = [("grpc.max_receive_message_length", _LARGEST_ANSWER_BYTES), ("grpc.enable_retries", 0)]
    if parts.scheme == "grpcs":
        roots = Path(ca_file).read_bytes() if ca_file else None
        return grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(roots), options)
    return grpc.insecure_channel(parts.netloc, options)


def _error(address: str, method: str, timeout_s: float, error: Any) -> exceptions.RunsError:
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return exceptions.EndpointSilentError(
            f"The lineage store at {address} does not answer (timed out after {timeout_s:g} s)."
        )
    if code is grpc.StatusCode.UNAVAILABLE:
        return exceptions.EndpointDownError(f"The lineage store at {address} does not answer ({details[:300]}).")
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return exceptions.NotSignedInError(f"The lineage store at {address} requires a sign-in.")
    if code is grpc.StatusCode.PERMISSION_DENIED:
        return exceptions.ForbiddenError(f"The lineage store at {address} refuses this: {details[:300]}")
    return exceptions.EndpointError(
        f"The lineage store at {address} answered {method} with: {code.name} {details[:300]}"
    )
