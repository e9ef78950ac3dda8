"""Database models: copies of Kubeflow's runs."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class PreservedRun(models.Model):
    """A copy of a run that has saved visualizations.

    Attributes:
        content: the run with its steps (documents.py), compressed; None before the first copy.
        saved_at: time of the latest copy; None before the first.
        next_at: time of the next attempt; None if the copy is final, or none can be made.
        failures: number of consecutive failed attempts.
        note: for users: what was left out, or why there is no copy.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint_key = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    run_id = models.CharField(max_length=200)
    content = models.BinaryField(null=True)
    saved_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    failures = models.PositiveSmallIntegerField(default=0)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint_key", "run_id"], name="preserved_run_unique")]
        indexes = [
            models.Index(fields=["next_at"], name="preserved_run_due", condition=models.Q(next_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.run_id


class PreservedLog(models.Model):
    """The compressed log of a step, or its last part if `is_cut`. Empty if there was none."""

    run = models.ForeignKey(PreservedRun, on_delete=models.CASCADE, related_name="logs")
    step_id = models.CharField(max_length=500)
    content = models.BinaryField()
    is_cut = models.BooleanField(default=False)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "step_id"], name="preserved_log_unique")]

    def __str__(self) -> str:
        return self.step_id


class PreservationCursor(models.Model):
    """How far visualizations have been searched for runs to copy; a single row."""

    created_at = models.DateTimeField()
    visualization_id = models.UUIDField()

    def __str__(self) -> str:
        return self.created_at.isoformat()
