"""The portal's own records about runs: tags, saved filters, and metrics of runs that have ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

LONGEST_TAG = 40


class RunTag(models.Model):
    """A word that somebody added to a run. Kubeflow has no tags, so they are stored here, by endpoint and run id."""

    endpoint_key = models.CharField(max_length=100)
    namespace = models.CharField(max_length=100, blank=True)
    run_id = models.CharField(max_length=200)
    name = models.CharField(max_length=LONGEST_TAG)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["endpoint_key", "run_id", "name"], name="run_tag_once")]
        indexes = [models.Index(fields=["endpoint_key", "namespace", "name"], name="run_tag_name")]

    def __str__(self) -> str:
        return self.name


class SavedFilter(models.Model):
    """A named filter of the run list.

    Attributes:
        query: the URL's query, such as `state=failed&since=7d`.
        is_shared: whether it is offered to everybody.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    endpoint_key = models.CharField(max_length=100)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "endpoint_key", "name"], name="saved_filter_once")]

    def __str__(self) -> str:
        return self.name


class RunMetrics(models.Model):
    """The scalar metrics of a run that has ended, read once, because the run list cannot query lineage for every row.

    Attributes:
        finished_at: the run's end when they were read; a different end means that the run was retried since.
        values: numbers by metric name; empty if the run logged none.
    """

    endpoint_key = models.CharField(max_length=100)
    run_id = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True)
    values = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "run metrics"
        constraints = [models.UniqueConstraint(fields=["endpoint_key", "run_id"], name="run_metrics_once")]

    def __str__(self) -> str:
        return f"metrics of {self.run_id}"
