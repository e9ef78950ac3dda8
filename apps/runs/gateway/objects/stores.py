"""Object stores that the portal reads directly, each with the credential of its prefix (VIZPORTAL_OBJECT_STORES)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.runs.exceptions import EndpointError
from apps.runs.gateway.objects.address import ObjectAddress, parse_address

SCHEMES: Final = frozenset({"s3", "minio", "gs", "abfs", "abfss", "az", "https", "file"})
_NAME: Final = "VIZPORTAL_OBJECT_STORES"
_SECRETS: Final = ("key", "secret", "connection_string")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """One store, or a part of one.

    Attributes:
        prefix: the addresses that it is responsible for; the longest matching prefix wins.
        endpoint_url: of an S3-compatible store; "" for the provider's own.
        key, secret: for S3 and MinIO; the account's key for Azure.
        token_file: a service account's JSON for Google, read by gcsfs.
        is_anonymous: sends no credential.
        root: for file://, the directory that `prefix` represents; nothing outside of it is read.
        allow_private: for https://, whether hosts on private networks are allowed.
        ca_file: certificates trusted for it; "" for the system's.
    """

    prefix: ObjectAddress
    endpoint_url: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    account: str = ""
    connection_string: str = field(default="", repr=False)
    token_file: str = ""
    is_anonymous: bool = False
    root: str = ""
    allow_private: bool = False
    ca_file: str = ""


def store_for(address: ObjectAddress) -> StoreConfig | None:
    """Returns the store responsible for an address; None if the endpoint's own gateway has to be asked."""
    fitting = [store for store in stores() if address.is_below(store.prefix)]
    return max(fitting, key=lambda store: len(store.prefix.key), default=None)


def stores() -> tuple[StoreConfig, ...]:
    """Returns every store.

    Raises:
        ImproperlyConfigured: the setting is wrong; says where.
    """
    return _parsed(settings.VIZPORTAL_OBJECT_STORES) if settings.VIZPORTAL_OBJECT_STORES else ()


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[StoreConfig, ...]:
    try:
        listed = json.loads(text)
    except ValueError as error:
        # Omits the error's own text, which would quote the setting and with it a secret.
        raise ImproperlyConfigured(f"{_NAME} is not JSON.") from error
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ImproperlyConfigured(f"{_NAME} must be a list of objects.")
    return tuple(_read(item, f"{_NAME}, number {number}") for number, item in enumerate(listed, 1))


def _read(item: Mapping[str, Any], place: str) -> StoreConfig:
    known = set(StoreConfig.__dataclass_fields__)
    values = dict(item)
    for name in _SECRETS:
        path = values.pop(f"{name}_file", None)
        if path is not None:
            values[name] = _secret(path, f"{place}, {name}_file")
    unknown = sorted(set(values) - known)
    if unknown:
        raise ImproperlyConfigured(f"{place}: unknown {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    for name, value in values.items():
        wanted = bool if name in {"is_anonymous", "allow_private"} else str
        if not isinstance(value, wanted):
            raise ImproperlyConfigured(f"{place}: {name!r} must be {'true or false' if wanted is bool else 'text'}.")
    try:
        prefix = parse_address(values.pop("prefix", ""))
    except EndpointError as error:
        raise ImproperlyConfigured(f"{place}: the prefix is no URI such as minio://mlpipeline/.") from error
    if prefix.scheme not in SCHEMES or not (prefix.host or prefix.scheme == "file"):
        raise ImproperlyConfigured(
            f"{place}: the prefix must begin with one of {', '.join(sorted(SCHEMES))} and a bucket."
        )
    if prefix.scheme == "file" and not Path(values.get("root", "")).is_absolute():
        raise ImproperlyConfigured(f"{place}: file:// needs 'root', an absolute directory.")
    if prefix.scheme == "file" and _meets(Path(values["root"]), settings.VIZPORTAL_DATA_DIR):
        raise ImproperlyConfigured(f"{place}: 'root' must not hold the portal's own data directory, nor be in it.")
    return StoreConfig(prefix=prefix, **values)


def _meets(root: Path, data_dir: Path) -> bool:
    first, second = root.resolve(), data_dir.resolve()
    return first.is_relative_to(second) or second.is_relative_to(first)


def _secret(path: Any, place: str) -> str:
    try:
        return Path(str(path)).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{place}: cannot read {path}.") from error
