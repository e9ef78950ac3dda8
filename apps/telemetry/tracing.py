"""Traces by OpenTelemetry, if VIZPORTAL_OTLP_ENDPOINT is set. Otherwise its SDK is not even imported.

Spans cost nothing until a process starts sending them (apps/telemetry/trace_export.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

SpanKind = Literal["internal", "client", "producer", "consumer"]


@dataclass(slots=True)
class _State:
    provider: TracerProvider | None = None
    tracer: Tracer | None = None


_state: Final = _State()


def set_provider(provider: TracerProvider | None) -> TracerProvider | None:
    """Sets the provider that receives spans, or None for none; returns the previous one."""
    before = _state.provider
    _state.provider = provider
    _state.tracer = provider.get_tracer("vizportal") if provider else None
    return before


def is_on() -> bool:
    """Whether this process sends spans."""
    return _state.tracer is not None


def span(
    name: str, *, kind: SpanKind = "internal", attributes: Mapping[str, Any] | None = None, parent: str | None = None
) -> AbstractContextManager[None]:
    """Opens a span below the current one; an exception that leaves the block marks it as failed.

    Args:
        parent: a `traceparent` from another process, to place the span below; "" starts a new trace; None uses the
            current span.
    """
    if _state.tracer is None:
        return nullcontext()
    return _span(_state.tracer, name, kind, attributes or {}, parent)


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, Any], parent: str | None
) -> Iterator[None]:
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    context = None
    if parent is not None:
        context = TraceContextTextMapPropagator().extract({"traceparent": parent}, context=Context())
    with tracer.start_as_current_span(
        name, context=context, kind=trace.SpanKind[kind.upper()], attributes=dict(attributes)
    ):
        yield


def set_attributes(attributes: Mapping[str, Any]) -> None:
    """Adds attributes to the current span, if any; None values are left out."""
    if _state.tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        get_current_span().set_attributes({name: value for name, value in attributes.items() if value is not None})


def traceparent() -> str:
    """Returns the current span as a `traceparent` (W3C Trace Context); "" if there is none."""
    if _state.tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def trace_id() -> str:
    """Returns the current trace's id, 32 hexadecimal digits; "" if there is none."""
    return traceparent()[3:35]
