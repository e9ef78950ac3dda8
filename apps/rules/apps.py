"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class RulesConfig(AppConfig):
    """Rules: when a run of a pipeline ends, a recipe is applied to it."""

    name = "apps.rules"
    verbose_name = "Rules"

    def ready(self) -> None:
        """Adds the rules' work to each pass of the reconciler."""
        from apps.rules import applying  # noqa: PLC0415  (it imports models)
        from apps.visualizations.services import reconciliation  # noqa: PLC0415

        reconciliation.part_register("rules", applying.rules_pass)
