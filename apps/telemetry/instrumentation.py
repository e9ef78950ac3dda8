"""OpenTelemetry's SDK and its instrumentation of Django, redis and psycopg. Imported only if traces are sent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, format_trace_id
from structlog.contextvars import bind_contextvars

from apps.telemetry.middleware import PROBE_PATHS, method_name, view_name
from apps.telemetry.redaction import redact

_PATH: Final = "/v1/traces"
# A collector that is down must not delay a process's exit for long.
_EXPORT_TIMEOUT_S: Final = 2.0
_INSTRUMENTORS: Final = (DjangoInstrumentor, RedisInstrumentor, PsycopgInstrumentor)
# Query strings contain sign-in codes; client addresses and user agents are personal data.
_PRIVATE: Final = frozenset(
    {"url.query", "url.full", "http.url", "http.target", "client.address", "user_agent.original"}
    | {"http.user_agent", "net.peer.ip", "http.client_ip"}
)


def start(process: str, endpoint: str) -> TracerProvider:
    """Starts sending spans, including those of the instrumented libraries.

    Args:
        process: suffix of the service's name.
        endpoint: the collector's address, with or without OTLP's path.
    """
    # Use the current attribute names, such as `http.request.method`.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    name = os.environ.get("OTEL_SERVICE_NAME") or f"vizportal-{process}"
    base = endpoint.rstrip("/")
    exporter = _Exporter(endpoint=base if base.endswith(_PATH) else base + _PATH, timeout=_EXPORT_TIMEOUT_S)
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.namespace": "vizportal"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    DjangoInstrumentor().instrument(
        tracer_provider=provider,
        excluded_urls=rf"://[^/]+({'|'.join(sorted(PROBE_PATHS))})$",
        # After MetricsMiddleware: this middleware checks the host's name, from which `/metrics` is exempt. The access
        # log's line then has the trace's id.
        middleware_position=settings.MIDDLEWARE.index("apps.telemetry.middleware.MetricsMiddleware") + 1,
        request_hook=_on_request,
        response_hook=_on_response,
    )
    RedisInstrumentor().instrument(tracer_provider=provider)
    PsycopgInstrumentor().instrument(tracer_provider=provider)
    return provider


def stop(provider: TracerProvider) -> None:
    """Sends the remaining spans and undoes `start`."""
    for instrumentor in _INSTRUMENTORS:
        instrumentor().uninstrument()
    provider.shutdown()


def _on_request(span: Span, request: HttpRequest) -> None:
    bind_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id))
    span.set_attribute("url.path", redact(request.path_info))


def _on_response(span: Span, request: HttpRequest, _response: HttpResponseBase) -> None:
    view = view_name(request)
    span.update_name(f"{method_name(request)} {view}")
    span.set_attribute("vizportal.view", view)


class _Exporter(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        exported = [_without_messages(span) for span in spans if not _is_polling(span)]
        return super().export(exported) if exported else SpanExportResult.SUCCESS


def _is_polling(span: ReadableSpan) -> bool:
    """Whether this is a query outside of any request or render: an idle worker makes several per second."""
    return (
        span.parent is None
        and span.kind is SpanKind.CLIENT
        and any(name.startswith("db.system") for name in span.attributes or ())
    )


def _without_messages(span: ReadableSpan) -> ReadableSpan:
    """Returns a copy without messages of exceptions, which may contain user data; the log has them."""
    raised = [str((event.attributes or {}).get("exception.type", "")).rpartition(".")[2] for event in span.events]
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name not in _PRIVATE},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, raised[-1] if raised and not span.status.is_ok else None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
