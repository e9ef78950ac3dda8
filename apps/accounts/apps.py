"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """Sign-in, permissions and the audit log."""

    name = "apps.accounts"
    # The name of its tables and of its pages in the admin since the first release.
    label = "people"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Keeps the groups of the roles in step with the code, and listens for sign-ins."""
        from apps.accounts import audit, lockout, roles, sessions  # noqa: PLC0415  (models are not ready before)

        # After every app: an administrator's permissions are made by the apps they are about.
        post_migrate.connect(roles.groups_write, dispatch_uid="accounts-groups")
        audit.connect_signals()
        lockout.connect_signals()
        sessions.connect_signals()
