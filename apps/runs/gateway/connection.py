"""One endpoint with the credentials of one user: address, time-outs, and plain HTTP for calls without a client."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from apps.runs import exceptions
from apps.runs.entities import Endpoint
from apps.runs.gateway import errors
from apps.runs.gateway.request_metrics import watched

LONGEST_CONNECT_S: Final = 5
_LARGEST_ANSWER_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to call one endpoint for one person. Hashable, because clients are kept per connection.

    Attributes:
        person: the person whose permissions are used ("" for the portal's own); part of every cache key.
        token: sent as a bearer token; "" for none.
        token_file: holds the bearer token and is reread when it changes; "" for none.
        user_header: (header, value) that names the person to a multi-user Kubeflow.
        ca_file: certificates trusted for this endpoint; "" for the system's.
        metadata_address: `grpc://host:port` of the lineage store; "" for gRPC-Web at the endpoint itself.
        timeout_s: seconds to wait for an answer; at most 5 of them for connecting.
    """

    endpoint: Endpoint
    person: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    cookies: str = field(default="", repr=False)
    user_header: tuple[str, str] | None = None
    ca_file: str = ""
    metadata_address: str = ""
    timeout_s: float = 3

    @property
    def timeouts(self) -> tuple[float, float]:
        """(connect, read) seconds."""
        return (min(LONGEST_CONNECT_S, self.timeout_s), self.timeout_s)

    @property
    def root(self) -> str:
        """The host without the path that REST may be served below (`/pipeline`): lineage is served at the root only."""
        parts = urlsplit(self.endpoint.host)
        return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/pipeline')}"

    @property
    def owner(self) -> tuple[str, str, str]:
        """The cache key of answers: the endpoint, and the person whose permissions were used."""
        return self.endpoint.key, self.endpoint.host, self.person

    def headers(self) -> dict[str, str]:
        """Returns the current headers that carry the credentials.

        Raises:
            NotSignedInError: the token's file cannot be read.
        """
        headers = {"User-Agent": "vizportal"}
        token = self.token or (_token_in(self.token_file) if self.token_file else "")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self.cookies:
            headers["Cookie"] = self.cookies
        if self.user_header:
            headers[self.user_header[0]] = self.user_header[1]
        return headers


def _token_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise exceptions.NotSignedInError(f"The portal cannot read its token for Kubeflow ({path}).") from error


@functools.lru_cache(maxsize=256)
def _pool(connection: Connection) -> urllib3.PoolManager:
    connect, read = connection.timeouts
    # No retries: urllib3's default of three multiplies every time-out. No redirects: they lead to sign-in pages.
    return urllib3.PoolManager(
        maxsize=8,
        timeout=urllib3.Timeout(connect=connect, read=read),
        retries=False,
        ca_certs=connection.ca_file or None,
    )


@contextmanager
def open_stream(
    connection: Connection, path: str, query: Mapping[str, str], *, method: str = "GET"
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Opens one answer without reading its body; leaving the block drops the connection.

    Raises:
        RunsError: no answer, or an error status.
    """
    with watched(connection.endpoint, "stream"):
        response = _opened(connection, path, query, method)
    try:
        yield response
    finally:
        _give_back(response)


def _opened(connection: Connection, path: str, query: Mapping[str, str], method: str) -> urllib3.BaseHTTPResponse:
    host = connection.endpoint.host
    with errors.network_errors(host, connection.timeout_s):
        response = _pool(connection).request(
            method, host + path, fields=dict(query), headers=connection.headers(), preload_content=False
        )
    if 200 <= response.status <= 299:
        return response
    try:
        with errors.network_errors(host, connection.timeout_s):
            body = response.read(64 * 1024)
    finally:
        _give_back(response)
    raise errors.from_status(host, response.status, body)


def _give_back(response: urllib3.BaseHTTPResponse) -> None:
    # A body that was not read to its end would otherwise block the pooled connection.
    response.close()
    response.release_conn()


def read_chunks(
    connection: Connection, response: urllib3.BaseHTTPResponse, size_bytes: int = 64 * 1024
) -> Iterator[bytes]:
    """Yields the body of an open answer.

    Raises:
        EndpointDownError: the connection was closed, or stalled for too long.
    """
    with errors.network_errors(connection.endpoint.host, connection.timeout_s):
        yield from pieces(response, size_bytes)


def pieces(response: urllib3.BaseHTTPResponse, size_bytes: int) -> Iterator[bytes]:
    """Yields an answer's body as it arrives, in pieces of at most `size_bytes`.

    `stream` would wait until a piece is full: a sender of one byte per second could then hold a reader for hours
    without its checking the time.
    """
    while piece := response.read1(size_bytes, decode_content=False):
        yield piece


def read_json_text(connection: Connection, path: str, query: Mapping[str, str]) -> bytes:
    """Returns a whole answer that should be JSON.

    Raises:
        RunsError: no answer, an error status, or a web page instead of JSON.
    """
    host = connection.endpoint.host
    with open_stream(connection, path, query) as response, errors.network_errors(host, connection.timeout_s):
        body = response.read(_LARGEST_ANSWER_BYTES, decode_content=True)
    if errors.looks_like_html(body):
        raise errors.login_page(host)
    return body


def post(connection: Connection, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """Posts a body to the host's root; returns the answer's body and headers.

    Raises:
        RunsError: no answer, an error status, or a web page instead.
    """
    host = connection.endpoint.host
    sent: dict[str, Any] = {**connection.headers(), **headers}
    with watched(connection.endpoint, "lineage"):
        with errors.network_errors(host, connection.timeout_s):
            response = _pool(connection).request("POST", connection.root + path, body=body, headers=sent)
        if not 200 <= response.status <= 299:
            raise errors.from_status(host, response.status, response.data)
        if errors.looks_like_html(response.data):
            raise errors.login_page(host)
    return response.data, response.headers
