"""Reads typed settings from the environment: `NAME`, or `NAME_FILE` with the path of a file that contains the value."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def read_str(name: str, default: str = "") -> str:
    """Returns the setting as text, stripped; `default` if neither NAME nor NAME_FILE is set.

    Raises:
        ImproperlyConfigured: both are set, or the file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    value = os.environ.get(name)
    if path is None:
        return default if value is None else value.strip()
    if value is not None:
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error


def read_bool(name: str, *, default: bool) -> bool:
    """Returns the setting as a bool; accepts 1/true/yes/on and 0/false/no/off, ignoring case.

    Raises:
        ImproperlyConfigured: any other text.
    """
    text = read_str(name, "true" if default else "false").lower()
    if text not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")
    return text in _TRUE


def read_int(name: str, default: int, *, least: int = 0) -> int:
    """Returns the setting as a whole number of at least `least`.

    Raises:
        ImproperlyConfigured: not a number, or too small.
    """
    text = read_str(name, str(default))
    try:
        value = int(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from error
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {value}.")
    return value


def read_list(name: str, default: Iterable[str] = ()) -> list[str]:
    """Returns the non-empty, stripped parts of a setting, which are separated by commas or line breaks."""
    text = read_str(name, ",".join(default))
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def read_choice(name: str, default: str, choices: Iterable[str]) -> str:
    """Returns the setting in lower case, one of `choices`.

    Raises:
        ImproperlyConfigured: any other text.
    """
    value = read_str(name, default).lower()
    allowed = list(choices)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def read_object(name: str) -> dict[str, Any]:
    """Returns a setting that is a JSON object; empty if unset.

    Raises:
        ImproperlyConfigured: not of that form. The message omits the value, which may contain a secret.
    """
    text = read_str(name)
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(f"{name} must be a JSON object.")
    return found


def read_origin(name: str) -> str:
    """Returns a setting that is an origin, such as `https://results.example.com`, in lower case; "" if unset.

    Raises:
        ImproperlyConfigured: not an origin, or more than scheme, host name and port.
    """
    text = read_str(name).rstrip("/").lower()
    try:
        found = urlsplit(text)
        is_origin = found.scheme in {"http", "https"} and bool(found.hostname) and "@" not in found.netloc
        default_port = {"http": 80, "https": 443}.get(found.scheme)
        is_origin = is_origin and text == f"{found.scheme}://{found.netloc}" and found.port != default_port
    except ValueError:
        is_origin = False
    if text and not is_origin:
        raise ImproperlyConfigured(
            f"{name} must be an origin such as https://results.example.com (no path, no default port), not {text!r}."
        )
    return text


def host_of(origin: str) -> str:
    """Returns an origin's host name, as ALLOWED_HOSTS expects it."""
    name = urlsplit(origin).hostname or ""
    return f"[{name}]" if ":" in name else name


def read_names(name: str, keys: Iterable[str]) -> dict[str, list[str]]:
    """Returns a setting that is a JSON object of lists of names, such as `{"viewer": ["staff"]}`; empty if unset.

    Raises:
        ImproperlyConfigured: not of that form, or with a key that is not one of `keys`.
    """
    text = read_str(name)
    if not text:
        return {}
    allowed = list(keys)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error}.") from error
    if not isinstance(found, dict) or not set(found) <= set(allowed):
        raise ImproperlyConfigured(f"{name} must be an object with some of {', '.join(allowed)}.")
    if not all(isinstance(listed, list) and all(isinstance(each, str) for each in listed) for listed in found.values()):
        raise ImproperlyConfigured(f"{name} must hold lists of names.")
    return found


def read_networks(name: str, default: Iterable[str]) -> list[str]:
    """Returns a comma-separated setting of IP addresses or networks.

    Raises:
        ImproperlyConfigured: one of them is neither.
    """
    found = read_list(name, default)
    for each in found:
        try:
            ipaddress.ip_network(each, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {each!r} is no address or network, such as 10.0.0.0/8.") from error
    return found
