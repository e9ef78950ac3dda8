"""Database model: people's favourites."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.visualizations.models import Visualization


class Favourite(models.Model):
    """A visualization that a person marked as a favourite; others do not see the mark."""

    # The unique constraint below already provides an index.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    visualization = models.ForeignKey(Visualization, on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "visualization"], name="favourite_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.visualization_id}"
