"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class PreservationConfig(AppConfig):
    """Copies of runs with saved visualizations, which stay readable after Kubeflow deletes the runs."""

    name = "apps.preservation"
    verbose_name = "Preserved runs"

    def ready(self) -> None:
        """Adds copying to each pass of the reconciler, and deletes a copy with the last visualization of its run."""
        from django.db.models.signals import post_delete  # noqa: PLC0415  (models are not ready before)

        from apps.preservation import copying  # noqa: PLC0415
        from apps.visualizations.models import Visualization  # noqa: PLC0415
        from apps.visualizations.services import reconciliation  # noqa: PLC0415

        reconciliation.part_register("preserved runs", copying.preservation_pass)
        post_delete.connect(copying.visualization_deleted, sender=Visualization)
