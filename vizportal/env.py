"""Typed readers of settings from the environment: `NAME`, or `NAME_FILE` naming a file that holds the value."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


def read_str(name: str, default: str = "") -> str:
    """Returns the setting as text, stripped; `default` where neither NAME nor NAME_FILE is set.

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
    """Returns the setting as a truth value; 1/true/yes/on and 0/false/no/off, in any case.

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
        ImproperlyConfigured: no number, or too small.
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
    """Returns a comma-separated setting as its non-empty, stripped parts."""
    text = read_str(name, ",".join(default))
    return [part.strip() for part in text.split(",") if part.strip()]


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
