"""The portal's permissions. Free of models, so that using a permission's name needs no database."""

from __future__ import annotations

from django.db import models


class Right(models.TextChoices):
    """A permission in the portal; permissions in Kubeflow are Kubeflow's own."""

    VIEW = "view", "See runs, artifacts and results"
    CREATE = "create", "Make visualizations, start and change runs"
    CUSTOM_CODE = "custom_code", "Run Python of their own, where the server allows it"
    ADMINISTER = "administer", "Manage results, people and the queue"
    APPROVE = "approve", "Approve custom code as a visualization type"
