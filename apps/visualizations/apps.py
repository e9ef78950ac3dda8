"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig

from apps.telemetry.exposition import part_register


class VisualizationsConfig(AppConfig):
    """Visualizations, their renders, and the tokens of scripts."""

    name = "apps.visualizations"
    verbose_name = "Visualizations"

    def ready(self) -> None:
        """Adds what `/metrics` reads from the database and the queue's server."""
        from apps.visualizations import collectors  # noqa: PLC0415  (it imports models)

        part_register("database", collectors.database_metrics)
        part_register("queue", collectors.queue_metrics)
