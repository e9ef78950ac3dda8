"""Artifacts in object stores (S3, MinIO, Google, Azure), by fsspec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from apps.runs.gateway.objects.address import ObjectAddress
from apps.runs.gateway.objects.shapes import Entry, Facts
from apps.runs.gateway.objects.stores import StoreConfig

_BLOCK: Final = 4 * 1024**2
_BLOCK_S: Final = 20
_PROTOCOLS: Final = {"s3": "s3", "minio": "s3", "gs": "gs", "abfs": "abfs", "abfss": "abfs", "az": "abfs"}


class CloudStore:
    """One store with one credential. Cheap to create: fsspec keeps one client for each set of options."""

    def __init__(self, store: StoreConfig, timeout_s: float) -> None:
        import fsspec  # noqa: PLC0415  # with its clients it takes a second to import

        protocol = _PROTOCOLS[store.prefix.scheme]
        self._files: Any = fsspec.filesystem(protocol, **_options(protocol, store, timeout_s))

    def facts(self, address: ObjectAddress) -> Facts | None:
        """Returns an object's size and version; None for a folder.

        Raises:
            OSError: or any other exception of the store's client.
        """
        found: Mapping[str, Any] = self._files.info(_path(address))
        return None if found.get("type") == "directory" else Facts(size_bytes=_size(found), version=_version(found))

    def read(self, address: ObjectAddress, start: int, length: int | None) -> Iterator[bytes]:
        """Yields an object's bytes, a few megabytes at a time."""
        path = _path(address)
        found = self.facts(address)
        size = (found.size_bytes if found else 0) or 0
        end = size if length is None else min(size, start + length)
        while start < end:
            chunk = self._block(path, start, min(end, start + _BLOCK))
            if not chunk:
                return
            yield chunk
            start += len(chunk)

    def _block(self, path: str, start: int, end: int) -> bytes:
        """Reads one block; gives up on a store that sends a byte a second."""
        from fsspec.asyn import sync  # noqa: PLC0415

        read = self._files._cat_file  # noqa: SLF001  (only the unsynchronised method can be given a time-out)
        found: bytes = sync(self._files.loop, read, path, start=start, end=end, timeout=_BLOCK_S)
        return found

    def walk(self, address: ObjectAddress, _enters: Callable[[tuple[str, ...]], bool], /) -> Iterator[Entry]:
        """Yields the objects below a folder. A store lists them without folders, so no folder can be skipped."""
        above = _path(address).rstrip("/")
        found: Mapping[str, Mapping[str, Any]] = self._files.find(above, detail=True)
        for path, facts in sorted(found.items()):
            below = path.removeprefix(above).strip("/")
            if below:
                moment = facts.get("LastModified") or facts.get("updated") or facts.get("last_modified")
                yield Entry(path=below, size_bytes=_size(facts), modified_at=_moment(moment), version=_version(facts))


def _options(protocol: str, store: StoreConfig, timeout_s: float) -> dict[str, Any]:
    common: dict[str, Any] = {"use_listings_cache": False}
    if protocol == "s3":
        config = {"connect_timeout": min(5, timeout_s), "read_timeout": timeout_s, "retries": {"max_attempts": 1}}
        client = {"region_name": store.region or None, "verify": store.ca_file or None}
        return common | {
            "key": store.key or None,
            "secret": store.secret or None,
            "anon": store.is_anonymous,
            "endpoint_url": store.endpoint_url or None,
            "client_kwargs": {name: value for name, value in client.items() if value},
            "config_kwargs": config,
        }
    if protocol == "gs":
        token = "anon" if store.is_anonymous else store.token_file or None
        return common | {"token": token, "endpoint_url": store.endpoint_url or None, "timeout": timeout_s}
    return common | {
        "account_name": store.account or None,
        "account_key": store.key or None,
        "connection_string": store.connection_string or None,
        "anon": store.is_anonymous,
    }


def _path(address: ObjectAddress) -> str:
    return f"{address.host}/{address.key}"


def _size(facts: Mapping[str, Any]) -> int:
    return int(facts.get("size") or 0)


def _version(facts: Mapping[str, Any]) -> str:
    """Returns a text that changes with an object's content, from the fields of the three stores' clients."""
    for name in ("ETag", "etag", "generation", "LastModified", "updated", "last_modified"):
        if facts.get(name):
            return f"{facts[name]} {_size(facts)}"
    return ""


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
