"""Admin page of paused queues."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.queues.services import queue_resume
from apps.visualizations.models import QueuePause


@admin.register(QueuePause)
class QueuePauseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Queues are paused on the queue's page; deleting a pause resumes the queue."""

    list_display = ("queue", "reason", "paused_by", "paused_at")

    @admin.display(description="queue")
    def queue(self, pause: QueuePause) -> str:
        """The environment, or "all queues"."""
        return pause.environment or "all queues"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Queues are paused on the queue's page, which shows what runs and asks for a reason."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Pauses are changed on the queue's page."""
        return False

    def delete_model(self, request: HttpRequest, obj: QueuePause) -> None:
        """Resumes the queue."""
        queue_resume(caller_of(request), obj.environment)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[QueuePause]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            self.delete_model(request, each)
