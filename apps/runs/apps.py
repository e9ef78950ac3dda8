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
        """Checks endpoints and stores when the portal starts, and not when the first person asks."""
        checks.register(_settings_check)


def _settings_check(**_options: Any) -> list[checks.CheckMessage]:
    from apps.runs.gateway import endpoints  # noqa: PLC0415  (apps are not ready before)
    from apps.runs.gateway.objects import stores  # noqa: PLC0415

    found: list[checks.CheckMessage] = []
    for number, read in enumerate((endpoints.endpoints, stores.stores), 1):
        try:
            read()
        except ImproperlyConfigured as error:
            found.append(checks.Error(str(error), id=f"runs.E00{number}"))
    return found
