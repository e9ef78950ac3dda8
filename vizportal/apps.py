"""The project's own place in Django: its checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class VizportalConfig(AppConfig):
    """What belongs to no room."""

    name = "vizportal"

    def ready(self) -> None:
        """Adds what `manage.py check --deploy` looks at beside Django's own."""
        from vizportal import deploy_checks  # noqa: PLC0415  (settings are read before)

        for check in deploy_checks.CHECKS:
            register(check, Tags.security, deploy=True)
