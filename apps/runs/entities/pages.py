"""Pages of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[ItemT]):
    """One page of a list; `next_token` is "" on the last."""

    items: tuple[ItemT, ...]
    next_token: str = ""
    total: int | None = None
