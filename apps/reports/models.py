"""Database models: reports, their versions, and the blocks of each version."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone


class BlockKind(models.TextChoices):
    """The kind of a block."""

    TEXT = "text", "Text"
    RENDER = "render", "A result as it is now"
    VISUALIZATION = "visualization", "The latest of a visualization"
    SERIES = "series", "The latest of a series"


class Report(models.Model):
    """Markdown and results on one page, arranged by hand. Each save adds a version.

    Attributes:
        namespace: people who may read it in Kubeflow may read the report.
        number: of the newest version. Saving is a single UPDATE, conditional on the number it is based on.
        title: of the newest version.
        deleted_at: when it was deleted; it is hidden at once, and can be restored for a day.
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
    """A saved version of a report. It never changes."""

    # The unique constraint below already provides an index.
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
    """A block of a version: a text, or a result.

    Attributes:
        text: Markdown; "" for results.
        target_id: id of the render, visualization or recipe to show. Not a foreign key: when the target is deleted, the
            version stays the same and reports that it is gone.
        target_title: title of the result when it was added; "" if the result is in another namespace.
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
