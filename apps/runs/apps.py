"""The app's place in Django."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


class RunsConfig(AppConfig):
    """What Kubeflow knows, read through one gateway."""

    name = "apps.runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        """Checks the endpoints when the portal starts, and not when the first person asks."""
        checks.register(_endpoints_check)


def _endpoints_check(**_options: Any) -> list[checks.CheckMessage]:
    from apps.runs.gateway import endpoints  # noqa: PLC0415  (apps are not ready before)

    try:
        endpoints.endpoints()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="runs.E001")]
    return []
