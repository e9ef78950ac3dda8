"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Reports: pages of Markdown and results, in versions."""

    name = "apps.reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        """Protects renders in reports from pruning, and has the reconciler purge deleted reports."""
        from apps.reports import selectors, services  # noqa: PLC0415  (they import models)
        from apps.visualizations.services import pruning, reconciliation  # noqa: PLC0415

        pruning.kept_register("reports", selectors.renders_pinned)
        reconciliation.part_register("reports", services.reports_purge)
