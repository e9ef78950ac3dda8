"""Reports, their versions, and what stands in each version."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone


class BlockKind(models.TextChoices):
    """What a part of a report is."""

    TEXT = "text", "Text"
    RENDER = "render", "A result as it is now"
    VISUALIZATION = "visualization", "The latest of a visualization"
    SERIES = "series", "The latest of a series"


class Report(models.Model):
    """Markdown and results on one page, arranged by hand. Each save adds a version.

    Attributes:
        namespace: who may read it in Kubeflow may read the report.
        number: of the newest version. Saving is one UPDATE that names the number it was made from.
        title: of the newest version.
        deleted_at: when it was deleted; it can be restored for a day, and is nowhere to be seen meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reports")
    endpoint_key = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    number = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-changed_at", "id"]
        indexes = [
            models.Index(fields=["-changed_at"], name="report_newest"),
            models.Index(fields=["endpoint_key", "namespace"], name="report_namespace"),
            models.Index(fields=["deleted_at"], name="report_deleted", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The report's own page."""
        return reverse("reports:report_detail", args=[self.id])


class ReportVersion(models.Model):
    """A report as somebody saved it. Never changed afterwards."""

    # The unique constraint below is an index of it too.
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="report_version_once")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class ReportBlock(models.Model):
    """One part of a version: a text, or a result.

    Attributes:
        text: Markdown; "" for results.
        target_id: of the render, visualization or recipe that is shown. No foreign key: a version does not change
            when what it shows is deleted, and says then what is gone.
        target_title: what the result was called when it was added; "" where that is of another namespace.
    """

    version = models.ForeignKey(ReportVersion, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=13, choices=BlockKind)
    text = models.TextField(blank=True)
    caption = models.CharField(max_length=500, blank=True)
    target_id = models.UUIDField(null=True, blank=True)
    target_title = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="report_block_place"),
            models.CheckConstraint(condition=models.Q(kind__in=BlockKind.values), name="report_block_kind_known"),
        ]
        indexes = [
            models.Index(fields=["target_id"], name="report_pinned_render", condition=models.Q(kind=BlockKind.RENDER))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.position}"
