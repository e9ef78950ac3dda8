"""What a person may do here. Without models, so that whoever needs a right's name only needs no database."""

from __future__ import annotations

from django.db import models


class Right(models.TextChoices):
    """What a person may do here; what they may do in Kubeflow is Kubeflow's to say."""

    VIEW = "view", "See runs, artifacts and results"
    CREATE = "create", "Make visualizations, start and change runs"
    CUSTOM_CODE = "custom_code", "Run Python of their own, where the server allows it"
    ADMINISTER = "administer", "Manage results, people and the queue"
    APPROVE = "approve", "Approve custom code as a visualization type"
