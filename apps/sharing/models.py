"""Database model: links to a result or report, which expire."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.reports.models import Report
from apps.visualizations.models import Render, Visualization


class Share(models.Model):
    """A link: its holder can read its target and nothing else. Only the digest of its token is stored.

    Attributes:
        prefix: the token's first characters, so that people can tell their links apart.
        render, visualization, report: exactly one is set: a fixed render, the latest of a visualization, or a report.
        origins: origins of other sites' pages that may frame it, one per line; "" for none.
        uses: number of times its page was opened.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=8, editable=False)
    render = models.ForeignKey(Render, null=True, blank=True, on_delete=models.CASCADE, related_name="shares")
    visualization = models.ForeignKey(
        Visualization, null=True, blank=True, on_delete=models.CASCADE, related_name="shares"
    )
    report = models.ForeignKey(Report, null=True, blank=True, on_delete=models.CASCADE, related_name="shares")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shares")
    origins = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    uses = models.PositiveIntegerField(default=0, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(render__isnull=False, visualization=None, report=None)
                | models.Q(render=None, visualization__isnull=False, report=None)
                | models.Q(render=None, visualization=None, report__isnull=False),
                name="share_of_one_thing",
            )
        ]
        indexes = [models.Index(fields=["created_by", "-created_at"], name="share_of_person")]

    def __str__(self) -> str:
        return f"{self.prefix}… to {self.title}"

    @property
    def title(self) -> str:
        """The title of the target."""
        if self.report is not None:
            return self.report.title
        found = self.render.visualization if self.render is not None else self.visualization
        return found.title if found is not None else ""

    @property
    def what(self) -> str:
        """The kind of the target, in words."""
        if self.report is not None:
            return "report"
        return f"render {self.render.number}" if self.render is not None else "always the latest"

    @property
    def target_url(self) -> str:
        """The target's page in the portal."""
        found = self.report or self.render or self.visualization
        return found.get_absolute_url() if found is not None else ""

    @property
    def origin_list(self) -> list[str]:
        """The origins of other sites' pages that may frame it."""
        return self.origins.split()

    @property
    def is_open(self) -> bool:
        """Whether it has neither expired nor been revoked."""
        return self.is_open_at(timezone.now())

    def is_open_at(self, now: datetime) -> bool:
        """Whether it has not been revoked, and has not expired at a given time."""
        return self.revoked_at is None and now < self.expires_at
