"""Results in S3, or in a store with the same protocol."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from apps.stores.streamed import CHUNK_BYTES, faults_are_oserrors, streamed_file

_FAULTS: Final = (BotoCoreError, ClientError)
_GONE: Final = frozenset({"NoSuchKey", "404"})


@faults_are_oserrors(*_FAULTS)
class S3Store(S3Storage):  # type: ignore[misc]
    """django-storages' S3 store, changed to stream reads and never overwrite."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # One connection per process: django-storages creates one per thread, which takes half a second of CPU, and web
        # servers keep creating threads. The shared resource only creates new objects; clients are thread-safe.
        self._connections = SimpleNamespace()

    def get_default_settings(self) -> dict[str, Any]:
        """Returns django-storages' defaults, with time limits for a server that does not answer."""
        limits = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 2, "mode": "standard"})
        return {
            **super().get_default_settings(),
            "client_config": limits,
            "default_acl": None,
            "file_overwrite": False,
        }

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:  # noqa: ARG002  (results are read only)
        try:
            found = self.bucket.Object(self._normalize_name(clean_name(name))).get()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                raise FileNotFoundError(name) from error
            raise
        body = found["Body"]
        return streamed_file(
            name,
            found["ContentLength"],
            body.iter_chunks(CHUNK_BYTES),
            version=found["ETag"],
            close=body.close,
            faults=_FAULTS,
        )
