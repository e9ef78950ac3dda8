"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Links to a result or report, which expire and can be revoked."""

    name = "apps.sharing"
    verbose_name = "Sharing"

    def ready(self) -> None:
        """Protects shared renders from pruning, and lets links sign addresses on the results' origin."""
        from django.utils import timezone  # noqa: PLC0415  (what follows imports models)

        from apps.sharing import opening, selectors  # noqa: PLC0415
        from apps.visualizations import signed_addresses  # noqa: PLC0415
        from apps.visualizations.services import pruning  # noqa: PLC0415

        pruning.kept_register("sharing", selectors.renders_shared)
        signed_addresses.grant_register(
            "share", lambda share_id, render_id: opening.share_holds(share_id, render_id, now=timezone.now())
        )
