"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig

from apps.telemetry.exposition import part_register


class VisualizationsConfig(AppConfig):
    """Visualizations, their renders, and API tokens."""

    name = "apps.visualizations"
    verbose_name = "Visualizations"

    def ready(self) -> None:
        """Registers the metrics that `/metrics` reads from the database and the queue server."""
        from apps.visualizations import collectors  # noqa: PLC0415  (it imports models)

        part_register("database", collectors.database_metrics)
        part_register("queue", collectors.queue_metrics)
