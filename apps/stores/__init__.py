"""Stores of results: files on this machine, or an object store through django-storages (VIZPORTAL_RESULTS_URL)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_NAME: Final = "VIZPORTAL_RESULTS_URL"
_CLOUDS: Final = {
    "s3": ("apps.stores.s3.S3Store", "bucket_name"),
    "gs": ("apps.stores.google.GoogleStore", "bucket_name"),
    "azure": ("apps.stores.azure.AzureStore", "azure_container"),
}


def read_store(url: str, options: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Returns the entry of Django's STORAGES setting for results.

    Args:
        url: `s3://bucket/prefix`, `gs://bucket/prefix`, `azure://container/prefix` or `file:///path`; "" for files in
            `directory`.
        options: further options of django-storages, such as `endpoint_url`, `access_key`, `secret_key`.

    Raises:
        ImproperlyConfigured: the URL is invalid.
    """
    parts = urlsplit(url)
    if not url or (parts.scheme == "file" and not parts.netloc):
        # Results are served only by views that check permissions, so they have no URL.
        backend = "apps.stores.files.FileStore"
        return {"BACKEND": backend, "OPTIONS": {"location": parts.path or str(directory), "base_url": None}}
    backend, place = _CLOUDS.get(parts.scheme, ("", ""))
    if not backend or not parts.netloc or parts.query or "@" in parts.netloc:
        raise ImproperlyConfigured(
            f"{_NAME} must be s3://bucket/prefix, gs://bucket/prefix, azure://container/prefix or file:///path. "
            "A credential goes into VIZPORTAL_RESULTS_OPTIONS."
        )
    return {"BACKEND": backend, "OPTIONS": {**options, place: parts.netloc, "location": parts.path.strip("/")}}
