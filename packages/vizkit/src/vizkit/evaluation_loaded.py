"""Converts evaluations that TFMA has loaded, `EvalResult`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .evaluation import Slice, Value


@dataclass(slots=True)
class Loaded:
    """Converts an `EvalResult` (or its attributions), for TFMA's own view functions."""

    unshown: dict[str, None] = field(default_factory=dict)

    def slices(self, metrics: Iterable[tuple[Any, Mapping[str, Any]]]) -> tuple[Slice, ...]:
        """Converts the slices of `EvalResult.slicing_metrics`."""
        return tuple(
            Slice(keys=tuple((str(n), str(v)) for n, v in keys or ()), metrics=dict(self._flat(by_output)))
            for keys, by_output in metrics
        )

    def _flat(self, by_output: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
        for output, by_key in by_output.items():
            for sub_key, metrics in by_key.items():
                for name, value in metrics.items():
                    full = ", ".join(filter(None, [str(name), str(sub_key or ""), str(output or "")]))
                    shown = _loaded_value(value)
                    if shown is None:
                        self.unshown[full] = None
                    else:
                        yield full, shown


def _loaded_value(value: Any) -> Value | None:
    if isinstance(value, int | float):
        return Value(value=float(value))
    if not isinstance(value, Mapping):
        return None
    try:
        if "doubleValue" in value:
            return Value(value=float(value["doubleValue"]))
        if "boundedValue" in value:
            bounds = value["boundedValue"]
            lower, upper = (float(bounds.get(name, math.nan)) for name in ("lowerBound", "upperBound"))
            return Value(value=float(bounds.get("value", 0)), lower=lower, upper=upper)
    except (TypeError, ValueError):
        return None
    return None
