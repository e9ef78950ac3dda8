"""Traces by OpenTelemetry, where VIZPORTAL_OTLP_ENDPOINT is set. Otherwise its SDK is not even imported.

A process that takes part calls `start` once; spans cost nothing until then. The exporter has a thread, so a render
host never calls it (docs/render-host.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from django.conf import settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

SpanKind = Literal["internal", "client", "producer", "consumer"]


@dataclass(slots=True)
class _State:
    provider: TracerProvider | None = None
    tracer: Tracer | None = None


_state: Final = _State()


def start(process: str) -> None:
    """Sends this process's spans from now on, where an endpoint is set.

    A web process calls it before it makes Django's handler, since it adds a middleware.

    Args:
        process: which one this is: web, worker, kfp-service.
    """
    if not settings.VIZPORTAL_OTLP_ENDPOINT or _state.tracer is not None:
        return
    from apps.telemetry import instrumentation  # noqa: PLC0415  (it imports the SDK)

    _state.provider = instrumentation.start(process, settings.VIZPORTAL_OTLP_ENDPOINT)
    _state.tracer = _state.provider.get_tracer("vizportal")


def stop() -> None:
    """Sends what is left and ends tracing; the end of the process does that too."""
    provider, _state.provider, _state.tracer = _state.provider, None, None
    if provider is not None:
        from apps.telemetry import instrumentation  # noqa: PLC0415

        instrumentation.stop(provider)


def is_on() -> bool:
    """Whether this process sends spans."""
    return _state.tracer is not None


def span(
    name: str, *, kind: SpanKind = "internal", attributes: Mapping[str, Any] | None = None, parent: str | None = None
) -> AbstractContextManager[None]:
    """Opens a span below the present one; an exception that leaves the block marks it as failed.

    Args:
        parent: a `traceparent` from another process, below which the span is placed; "" starts a new trace; None takes
            the present span.
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
    """Adds attributes to the present span, where there is one; those that are None are left out."""
    if _state.tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        get_current_span().set_attributes({name: value for name, value in attributes.items() if value is not None})


def traceparent() -> str:
    """Returns the present span as a `traceparent` (W3C Trace Context); "" where there is none."""
    if _state.tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def trace_id() -> str:
    """Returns the present trace's id, 32 hexadecimal digits; "" where there is none."""
    return traceparent()[3:35]
