"""Artifacts at an https:// address that an administrator allowed. Connects to exactly the address that was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urljoin

import urllib3

from apps.runs import exceptions
from apps.runs.gateway import errors
from apps.runs.gateway.connection import pieces
from apps.runs.gateway.host_addresses import host_address
from apps.runs.gateway.objects.address import ObjectAddress, parse_address
from apps.runs.gateway.objects.shapes import Entry, Facts
from apps.runs.gateway.objects.stores import StoreConfig

_MOST_REDIRECTS: Final = 3
_CHUNK: Final = 256 * 1024


class WebStore:
    """One host's files over HTTPS. A redirect must stay below the same prefix."""

    def __init__(self, store: StoreConfig, timeout_s: float) -> None:
        self._store = store
        self._timeout_s = timeout_s

    def facts(self, address: ObjectAddress) -> Facts | None:
        """Returns size and version from the server; never None, since a web address is not a folder.

        Raises:
            RunsError: access is refused, the file does not exist, or no answer.
        """
        with self._open("HEAD", address, {}) as answer:
            announced = answer.headers.get("Content-Length", "")
            version = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        return Facts(size_bytes=int(announced) if announced.isdecimal() else None, version=version)

    def read(self, address: ObjectAddress, start: int, length: int | None) -> Iterator[bytes]:
        """Yields the bytes."""
        last = "" if length is None else start + length - 1
        headers = {"Range": f"bytes={start}-{last}"} if start or length is not None else {}
        with self._open("GET", address, headers) as answer:
            if headers and answer.status != 206:
                raise exceptions.EndpointError(f"{address.host} does not serve parts of {address}.")
            with errors.network_errors(address.host, self._timeout_s):
                yield from pieces(answer, _CHUNK)

    def walk(self, address: ObjectAddress, _enters: Callable[[tuple[str, ...]], bool], /) -> Iterator[Entry]:
        """Refuses: a web address is not a folder.

        Raises:
            EndpointError: always.
        """
        raise exceptions.EndpointError(f"{address} is a web address, not a folder.")

    @contextmanager
    def _open(self, method: str, address: ObjectAddress, headers: dict[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._ask(method, address, headers)
            try:
                if 300 <= answer.status <= 399 and answer.headers.get("Location"):
                    address = self._followed(address, answer.headers["Location"])
                    continue
                if not 200 <= answer.status <= 299:
                    raise errors.from_status(address.host, answer.status, b"")
                yield answer
                return
            finally:
                answer.close()
        raise exceptions.EndpointError(f"{address.host} redirects more than {_MOST_REDIRECTS} times.")

    def _followed(self, address: ObjectAddress, location: str) -> ObjectAddress:
        found = parse_address(urljoin(address.uri, location))
        if not found.is_below(self._store.prefix):
            raise exceptions.ForbiddenError(
                f"{address} redirects to {found.host or 'elsewhere'}, which is not allowed."
            )
        return found

    def _ask(self, method: str, address: ObjectAddress, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        host, _, port = address.host.partition(":")
        pool = urllib3.HTTPSConnectionPool(
            host_address(host, allow_private=self._store.allow_private),
            port=int(port or 443),
            server_hostname=host,
            assert_hostname=host,
            ca_certs=self._store.ca_file or None,
            cert_reqs="CERT_REQUIRED",
            timeout=urllib3.Timeout(connect=min(5, self._timeout_s), read=self._timeout_s),
            retries=False,
        )
        with errors.network_errors(host, self._timeout_s):
            sent = {"Host": address.host, "User-Agent": "vizportal", **headers}
            return pool.request(method, f"/{address.web_path}", headers=sent, preload_content=False, redirect=False)
