"""Begins and ends sending this process's spans. The SDK is imported only where they are sent."""

from __future__ import annotations

from django.conf import settings

from apps.telemetry import tracing


def start(process: str) -> None:
    """Sends this process's spans from now on, where an endpoint is set.

    A web process calls it before it makes Django's handler, since it adds a middleware. The exporter has a thread, so a
    render host never calls it (docs/render-host.md).

    Args:
        process: which one this is: web, worker, kfp-service.
    """
    if not settings.VIZPORTAL_OTLP_ENDPOINT or tracing.is_on():
        return
    from apps.telemetry import instrumentation  # noqa: PLC0415  (it imports the SDK)

    tracing.set_provider(instrumentation.start(process, settings.VIZPORTAL_OTLP_ENDPOINT))


def stop() -> None:
    """Sends what is left and ends tracing; the end of the process does that too."""
    provider = tracing.set_provider(None)
    if provider is not None:
        from apps.telemetry import instrumentation  # noqa: PLC0415

        instrumentation.stop(provider)
