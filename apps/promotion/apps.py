"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import request_finished, request_started


class PromotionConfig(AppConfig):
    """Promotion: a person's custom code becomes a type after another person approves it."""

    name = "apps.promotion"
    verbose_name = "Promotion"

    def ready(self) -> None:
        """Adds approved types to the catalogue, and protects the samples of proposals from pruning."""
        from apps.promotion import approved, selectors  # noqa: PLC0415  (they import models)
        from apps.visualizations import catalogue  # noqa: PLC0415
        from apps.visualizations.services import pruning  # noqa: PLC0415

        catalogue.source_register("promotion", approved.types_approved)
        request_started.connect(approved.request_begin, dispatch_uid="promotion-begin")
        request_finished.connect(approved.request_end, dispatch_uid="promotion-end")
        pruning.kept_register("proposals", selectors.renders_proposed)
