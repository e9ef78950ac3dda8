"""The audit log. Accounts themselves are Django's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.accounts.rights import Right


class Portal(models.Model):
    """Carries the permissions; it has no rows."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(right.value, right.label) for right in Right]

    def __str__(self) -> str:
        return "vizportal"


class AuditEntry(models.Model):
    """An action that somebody took or was refused. Written once, never changed.

    Attributes:
        username: a copy that outlives the account; for a failed sign-in, the typed name.
        action: for example `run.terminate`; a dot separates the kind of object from the action.
        target: id of the object; `target_name` is its name for people.
        outcome: "done", or "refused" with the reason in `detail`.
        address: the client's address; "" for none.
    """

    at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    username = models.CharField(max_length=254, blank=True)
    action = models.CharField(max_length=60)
    endpoint_key = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=500, blank=True)
    target_name = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=10, choices=[("done", "Done"), ("refused", "Refused")], default="done")
    detail = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["username", "-at"], name="audit_person"),
            models.Index(fields=["action", "-at"], name="audit_action"),
            models.Index(fields=["target", "-at"], name="audit_target"),
        ]

    def __str__(self) -> str:
        return f"{self.username or 'somebody'}: {self.action} {self.target_name or self.target}".strip()

    def save(self, *args: Any, **options: Any) -> None:
        """Inserts the entry.

        Raises:
            TypeError: the entry already exists.
        """
        if not self._state.adding:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **options)
