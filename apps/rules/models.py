"""Database models: rules, and the runs that each has found."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.ui.states import ShownChoices, Tone
from apps.visualizations.models import Recipe, Render


class RuleRunState(ShownChoices):
    """The state of a run for a rule."""

    WAITING = "waiting", "hourglass", Tone.IDLE, "Run goes on"
    PENDING = "pending", "clock", Tone.WARN, "To be rendered"
    RENDERING = "rendering", "loader-circle", Tone.BUSY, "Rendering"
    SUCCEEDED = "succeeded", "circle-check", Tone.OK, "Rendered"
    FAILED = "failed", "circle-x", Tone.BAD, "Failed"
    SKIPPED = "skipped", "skip-forward", Tone.IDLE, "Left out"
    CANCELLED = "cancelled", "ban", Tone.IDLE, "Cancelled"


class Rule(models.Model):
    """Applies its recipe to each matching run that ends, with the permissions of its owner.

    Attributes:
        pipeline_pattern, run_pattern: names with the wildcards `*` and `?`; "" for any.
        run_state: the state in which runs must end.
        cursor: creation time of the newest run seen, by Kubeflow's clock.
        looked_at: when a reconciler last began to work on it; keeps others away for a moment.
        paused_because: the reason for users; "" if a person paused it.
        failures: number of consecutive failed runs; at `most_failures` the rule pauses.
        most_waiting: maximum number of this rule's renders that are queued or running at a time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="rules")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rules")
    endpoint_key = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    pipeline_pattern = models.CharField(max_length=500, blank=True)
    run_pattern = models.CharField(max_length=500, blank=True)
    experiment_id = models.CharField(max_length=200, blank=True)
    tag = models.CharField(max_length=40, blank=True)
    run_state = models.CharField(max_length=20, default="succeeded")
    is_enabled = models.BooleanField(default=True)
    paused_because = models.TextField(blank=True)
    cursor = models.DateTimeField(editable=False)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0)
    most_failures = models.PositiveIntegerField(default=5)
    most_waiting = models.PositiveIntegerField(default=10)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["is_enabled", "looked_at"], name="rule_turn")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The rule's own page."""
        return reverse("rules:rule_detail", args=[self.id])


class RuleRun(models.Model):
    """A run that a rule has found. The pair is unique, so that no run is rendered twice.

    Attributes:
        message: why it was skipped or failed; "" otherwise.
        render: its render; None before, or if that was deleted.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="runs", db_index=False)
    run_id = models.CharField(max_length=200)
    run_name = models.CharField(max_length=500, blank=True)
    run_created_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=RuleRunState)
    message = models.TextField(blank=True)
    render = models.ForeignKey(Render, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = [models.F("run_created_at").desc(nulls_last=True), "-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "run_id"], name="rule_run_once")]
        indexes = [models.Index(fields=["rule", "state", "run_created_at"], name="rule_run_state")]

    def __str__(self) -> str:
        return f"{self.run_name or self.run_id}: {self.state}"

    @property
    def known_state(self) -> RuleRunState:
        """Its state, with icon, colour and label."""
        return RuleRunState.by_value(self.state)
