"""Results in Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.core.files import File
from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Client
from google.oauth2.service_account import Credentials
from requests.exceptions import RequestException
from storages.backends.gcloud import GoogleCloudStorage
from storages.utils import clean_name

from apps.stores.streamed import CHUNK_BYTES, faults_are_oserrors, streamed_file

_FAULTS: Final = (GoogleAPIError, GoogleAuthError, RequestException)


@faults_are_oserrors(*_FAULTS)
class GoogleStore(GoogleCloudStorage):  # type: ignore[misc]
    """django-storages' Google Cloud Storage, changed to stream reads and never overwrite.

    Additional options: `credentials_file`, a service account's JSON, and `is_anonymous`, for emulators. All requests go
    to `custom_endpoint` if it is set.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """Returns django-storages' defaults and our own options."""
        own = {"credentials_file": "", "is_anonymous": False, "file_overwrite": False}
        return {**super().get_default_settings(), **own}

    @property
    def client(self) -> Client:
        """The client, created on first use."""
        if self._client is None:  # type: ignore[has-type]
            credentials = AnonymousCredentials() if self.is_anonymous else self.credentials
            if self.credentials_file:
                credentials = Credentials.from_service_account_file(self.credentials_file)
            endpoint = {"api_endpoint": self.custom_endpoint} if self.custom_endpoint else None
            project = self.project_id or ("emulated" if self.is_anonymous else None)
            self._client = Client(project=project, credentials=credentials, client_options=endpoint)
        return self._client

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:  # noqa: ARG002  (results are read only)
        blob = self.bucket.get_blob(self._normalize_name(clean_name(name)))
        if blob is None:
            raise FileNotFoundError(name)
        return streamed_file(name, blob.size, _pieces(blob), version=blob.etag or "", faults=_FAULTS)

    def get_modified_time(self, name: str) -> Any:
        """Returns when a file was written.

        Raises:
            FileNotFoundError: the file does not exist.
        """
        try:
            return super().get_modified_time(name)
        except NotFound as error:
            raise FileNotFoundError(name) from error


def _pieces(blob: Any) -> Iterator[bytes]:
    # Read by ranges: the library's own reader seeks, and keeps 40 MB in memory.
    for start in range(0, blob.size, CHUNK_BYTES):
        yield blob.download_as_bytes(start=start, end=min(start + CHUNK_BYTES, blob.size) - 1, raw_download=True)
