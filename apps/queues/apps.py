"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class QueuesConfig(AppConfig):
    """The queue's pages: running and waiting renders, pauses, statistics."""

    name = "apps.queues"
    verbose_name = "Queue"
