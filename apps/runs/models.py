"""What the portal itself knows of runs, beside Kubeflow: tags, saved filters, and metrics of runs that have ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

LONGEST_TAG = 40


class RunTag(models.Model):
    """A word somebody put on a run. Kubeflow has no tags, so they live here, by endpoint and run id."""

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
    """A filter of the run list under a name.

    Attributes:
        query: the address' query, such as `state=failed&since=7d`.
        is_shared: whether everybody here is offered it.
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
    """The scalar metrics of a run that has ended, read once: the run list could not ask lineage for each of its rows.

    Attributes:
        finished_at: the run's end when they were read; another end means that the run was retried since.
        values: numbers by metric name; empty where the run logged none.
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
