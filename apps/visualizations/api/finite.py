"""JSON that every parser reads: NaN and infinity are not valid JSON, but values from Kubeflow may contain them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from ninja.renderers import JSONRenderer


class FiniteRenderer(JSONRenderer):
    """Writes non-finite numbers as strings, named as in protobuf's JSON mapping."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """Returns the response body."""
        try:
            return json.dumps(data, cls=self.encoder_class, allow_nan=False)
        except ValueError:
            return super().render(request, _finite(data), response_status=response_status)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
