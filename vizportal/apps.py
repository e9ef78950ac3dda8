"""The project as a Django app: its checks and commands."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class VizportalConfig(AppConfig):
    """The project's own checks and management commands."""

    name = "vizportal"

    def ready(self) -> None:
        """Registers the additional checks of `manage.py check --deploy`."""
        from vizportal import deploy_checks  # noqa: PLC0415  (settings are read before)

        for check in deploy_checks.CHECKS:
            register(check, Tags.security, deploy=True)
