"""The Django app configuration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


class RunsConfig(AppConfig):
    """Kubeflow's data, read through one gateway."""

    name = "apps.runs"
    verbose_name = "Runs"

    def ready(self) -> None:
        """Registers the checks of endpoints and stores, so that errors show at startup and not on the first request."""
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
