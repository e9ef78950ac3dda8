"""Numbers that travelled through protobuf."""

from __future__ import annotations

from typing import Any


def whole(value: Any) -> Any:
    """Returns a JSON value with whole doubles as integers: protobuf's Struct has no integers, people wrote
    them.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    return value


def whole_number(value: Any) -> int | None:
    """Returns a count, which protobuf's JSON may write as text; None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
