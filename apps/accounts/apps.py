"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """Sign-in, permissions and the audit log."""

    name = "apps.accounts"
    # Its label since the first release, used in table names and admin URLs.
    label = "people"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Keeps the roles' groups up to date with the code, and connects the sign-in signals."""
        from apps.accounts import audit, lockout, roles, sessions  # noqa: PLC0415  (models are not ready before)

        # After all apps: administrators' permissions are created by the apps that they belong to.
        post_migrate.connect(roles.groups_write, dispatch_uid="accounts-groups")
        audit.connect_signals()
        lockout.connect_signals()
        sessions.connect_signals()
