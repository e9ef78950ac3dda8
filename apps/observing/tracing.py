"""Traces by OpenTelemetry, where VIZPORTAL_OTLP_ENDPOINT says so. Otherwise nothing of it is even imported.

A process that takes part calls `start` once; everything else asks for spans, which cost nothing until then. The
exporter has a thread, so a render host never starts this (docs/render-host.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from django.conf import settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client", "producer", "consumer"]
_PATH: Final = "/v1/traces"
# A collector that is away must not hold up the end of a process for long.
_EXPORT_S: Final = 2.0


class Span(Protocol):
    """What code may do with a span."""

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Adds attributes; those that are None are left out."""

    def rename(self, name: str) -> None:
        """Gives it the name that is known only now."""

    def fail(self, cause: str) -> None:
        """Marks it as failed."""


class _NoSpan:
    def note(self, attributes: Mapping[str, Any]) -> None:
        pass

    def rename(self, name: str) -> None:
        pass

    def fail(self, cause: str) -> None:
        pass


@dataclass(slots=True)
class _LiveSpan:
    span: Any

    def note(self, attributes: Mapping[str, Any]) -> None:
        self.span.set_attributes({name: value for name, value in attributes.items() if value is not None})

    def rename(self, name: str) -> None:
        self.span.update_name(name)

    def fail(self, cause: str) -> None:
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self.span.set_status(Status(StatusCode.ERROR, cause))


@dataclass(slots=True)
class _State:
    provider: TracerProvider | None = None
    tracer: Tracer | None = None


_state: Final = _State()
_NO_SPAN: Final = _NoSpan()


def start(part: str) -> None:
    """Sends this process's spans from now on, where an endpoint is set; once is enough.

    Args:
        part: which process this is: web, worker, kfp-service.
    """
    if not settings.VIZPORTAL_OTLP_ENDPOINT or _state.tracer is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = os.environ.get("OTEL_SERVICE_NAME") or f"vizportal-{part}"
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.namespace": "vizportal"}))
    exporter = OTLPSpanExporter(endpoint=_address(settings.VIZPORTAL_OTLP_ENDPOINT), timeout=_EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _state.provider, _state.tracer = provider, provider.get_tracer("vizportal")


def _address(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH


def stop() -> None:
    """Sends what is left and ends; the end of the process does that too."""
    provider, _state.provider, _state.tracer = _state.provider, None, None
    if provider is not None:
        provider.shutdown()


def is_on() -> bool:
    """Whether this process sends spans."""
    return _state.tracer is not None


def span(
    name: str, *, kind: Kind = "internal", attributes: Mapping[str, Any] | None = None, carried: str | None = None
) -> AbstractContextManager[Span]:
    """Opens a span below the present one; an exception that leaves the block marks it as failed, by its class only.

    Args:
        carried: a `traceparent` from elsewhere, which it stands below then; "" begins a trace of its own; None for
        the present span.
    """
    if _state.tracer is None:
        return nullcontext(_NO_SPAN)
    return _live(_state.tracer, name, kind, attributes or {}, carried)


@contextmanager
def _live(tracer: Tracer, name: str, kind: Kind, attributes: Mapping[str, Any], carried: str | None) -> Iterator[Span]:
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    above = None
    if carried is not None:
        above = TraceContextTextMapPropagator().extract({"traceparent": carried}, context=Context())
    with tracer.start_as_current_span(
        name,
        context=above,
        kind=SpanKind[kind.upper()],
        # A message may hold what people wrote; the log has it.
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        found = _LiveSpan(opened)
        found.note(attributes)
        try:
            yield found
        except BaseException as error:
            found.fail(type(error).__name__)
            raise


def note(attributes: Mapping[str, Any]) -> None:
    """Adds attributes to the present span, where there is one."""
    if _state.tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        _LiveSpan(get_current_span()).note(attributes)


def carrier() -> str:
    """Returns the present span as a `traceparent` (W3C Trace Context); "" where there is none."""
    if _state.tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return found.get("traceparent", "")


def trace_id() -> str:
    """Returns the present trace's id, 32 hexadecimal digits; "" where there is none."""
    if _state.tracer is None:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span  # noqa: PLC0415

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""
