"""Results in Azure Blob Storage."""

from __future__ import annotations

from typing import Any, Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobPrefix, BlobServiceClient
from django.core.files import File
from storages.backends.azure_storage import AzureStorage

from apps.stores.streamed import CHUNK_BYTES, faults_are_oserrors, streamed_file

_FAULTS: Final = (AzureError,)
# By default the client loads the first 32 MB of any blob it opens.
_PIECES: Final = {"max_single_get_size": CHUNK_BYTES, "max_chunk_get_size": CHUNK_BYTES, "connection_timeout": 5}


@faults_are_oserrors(*_FAULTS)
class AzureStore(AzureStorage):  # type: ignore[misc]
    """django-storages' Azure store, changed to stream reads, never overwrite, and list folders."""

    def get_default_settings(self) -> dict[str, Any]:
        """Returns django-storages' defaults, without overwriting."""
        return {**super().get_default_settings(), "client_options": dict(_PIECES), "overwrite_files": False}

    def _get_service_client(self) -> BlobServiceClient:
        if self.connection_string is None:
            return super()._get_service_client()
        return BlobServiceClient.from_connection_string(self.connection_string, **self.client_options)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:  # noqa: ARG002  (results are read only)
        try:
            found = self.client.download_blob(self._get_valid_path(name), timeout=self.timeout)
        except ResourceNotFoundError as error:
            raise FileNotFoundError(name) from error
        return streamed_file(name, found.size, found.chunks(), version=found.properties.etag or "", faults=_FAULTS)

    def listdir(self, path: str = "") -> tuple[list[str], list[str]]:
        """Returns the names of the folders and of the files directly in a folder."""
        folder = f"{self._get_valid_path(path)}/"
        found = list(self.client.walk_blobs(name_starts_with=folder, delimiter="/", timeout=self.timeout))
        folders = [each.name.removeprefix(folder).strip("/") for each in found if isinstance(each, BlobPrefix)]
        return folders, [each.name.removeprefix(folder) for each in found if not isinstance(each, BlobPrefix)]
