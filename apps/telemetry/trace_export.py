"""Starts and stops sending this process's spans. Imports the SDK only if spans are sent."""

from __future__ import annotations

from django.conf import settings

from apps.telemetry import tracing


def start(process: str) -> None:
    """Starts sending this process's spans, if an endpoint is configured.

    A web process calls it before creating Django's handler, since it adds a middleware. The exporter starts a thread,
    so a render host never calls it (docs/render-host.md).

    Args:
        process: the kind of process: web, worker or kfp-service.
    """
    if not settings.VIZPORTAL_OTLP_ENDPOINT or tracing.is_on():
        return
    from apps.telemetry import instrumentation  # noqa: PLC0415  (it imports the SDK)

    tracing.set_provider(instrumentation.start(process, settings.VIZPORTAL_OTLP_ENDPOINT))


def stop() -> None:
    """Sends the remaining spans and ends tracing; the process's exit does that too."""
    provider = tracing.set_provider(None)
    if provider is not None:
        from apps.telemetry import instrumentation  # noqa: PLC0415

        instrumentation.stop(provider)
