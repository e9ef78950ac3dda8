"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Alerts: a message when a render ends, a rule fails, or a key figure crosses a threshold."""

    name = "apps.notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Registers the reconciler's part, the listeners for rules and proposals, and the workers' sending function."""
        from apps.notifications import checking, deliveries, proposals  # noqa: PLC0415  (they import models)
        from apps.promotion import events as promotion_events  # noqa: PLC0415
        from apps.rules import events  # noqa: PLC0415
        from apps.visualizations import job_queue  # noqa: PLC0415
        from apps.visualizations.services import reconciliation  # noqa: PLC0415

        job_queue.function_register(deliveries.JOB, deliveries.delivery_send)
        heard = events.Listener(on_trouble=checking.rule_trouble_note, on_success=checking.rule_success_note)
        events.listener_register("alerts", heard)
        promotion_events.listener_register("proposals", proposals.proposal_note)
        reconciliation.part_register("alerts", checking.alerts_pass)
