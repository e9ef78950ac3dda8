"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig


class QueuesConfig(AppConfig):
    """The queue as people see it: what runs and waits, pauses, statistics."""

    name = "apps.queues"
    verbose_name = "Queue"
