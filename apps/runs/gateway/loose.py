"""People's and foreign JSON, anything in which may be missing or of a wrong shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """Returns a value that should be an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Returns the objects of a value that should be a list of them."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
