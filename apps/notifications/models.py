"""Database models: alerts, targets, checked renders, and messages."""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.rules.models import Rule
from apps.ui.states import ShownChoices, Tone
from apps.visualizations.models import Recipe, Render


class AlertEvent(models.TextChoices):
    """The event that an alert waits for."""

    RENDER_SUCCEEDED = "render_succeeded", "Render finishes"
    RENDER_FAILED = "render_failed", "Render fails"
    FIGURE_CROSSED = "figure_crossed", "Key figure crosses threshold"
    FIGURE_CHANGED = "figure_changed", "Key figure changes"
    RULE_FAILED = "rule_failed", "Run of the rule fails"
    RULE_PAUSED = "rule_paused", "Portal pauses the rule"

    @property
    def is_of_figure(self) -> bool:
        """Whether the event compares a key figure."""
        return self in {AlertEvent.FIGURE_CROSSED, AlertEvent.FIGURE_CHANGED}

    @property
    def has_end(self) -> bool:
        """Whether the event's state can end, which may cause another message."""
        return self is not AlertEvent.RENDER_SUCCEEDED

    @property
    def is_of_rule(self) -> bool:
        """Whether a rule reports the event, not a render."""
        return self in {AlertEvent.RULE_FAILED, AlertEvent.RULE_PAUSED}


RULE_EVENTS: Final = tuple(each for each in AlertEvent if each.is_of_rule)


class TargetKind(models.TextChoices):
    """The channel of a message."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"


class DeliveryState(ShownChoices):
    """The progress of a message to one target."""

    WAITING = "waiting", "clock", Tone.WARN, "Waiting"
    SENDING = "sending", "loader-circle", Tone.BUSY, "Sending"
    SENT = "sent", "circle-check", Tone.OK, "Sent"
    FAILED = "failed", "circle-x", Tone.BAD, "Failed"
    DROPPED = "dropped", "ban", Tone.IDLE, "Not sent"


OPEN_STATES: Final = (DeliveryState.WAITING, DeliveryState.SENDING)
"""States of messages that are neither sent nor given up."""


class Alert(models.Model):
    """A condition on the renders of a series, or on a rule, and its targets. It has its owner's permissions.

    Attributes:
        rule: limits the alert to this rule's runs; None for the whole series.
        figure, direction, threshold: for a key figure that crosses a threshold; direction is `above` or `below`.
        change, is_percent: for a key figure that changes by more than this.
        is_met: whether the condition held at the last check, so that only crossings cause messages; None while unknown.
        sends_recovery: whether to send a message when the condition ends: the figure is back, a render or the rule
            works again.
        fired_at: end of the render, or time of the event, of the latest message; None once the condition has ended.
        version: incremented by each check or change, for optimistic locking.
        look_from: renders that ended earlier are ignored: the time it was created or resumed, later a little before the
            newest checked render.
        looked_at: when a reconciler last began to work on it; keeps others away for a moment.
        problem: why nothing is sent, shown to its owner; "" for no problem.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts")
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="alerts")
    rule = models.ForeignKey(Rule, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    event = models.CharField(max_length=20, choices=AlertEvent)
    figure = models.CharField(max_length=100, blank=True)
    direction = models.CharField(max_length=5, blank=True, choices=[(each, each) for each in ("above", "below")])
    threshold = models.FloatField(null=True, blank=True)
    change = models.FloatField(null=True, blank=True)
    is_percent = models.BooleanField(default=False)
    sends_recovery = models.BooleanField(default=True, db_default=True)
    is_enabled = models.BooleanField(default=True)
    problem = models.TextField(blank=True)
    fired_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_met = models.BooleanField(null=True, blank=True, editable=False)
    version = models.PositiveBigIntegerField(default=0, editable=False)
    look_from = models.DateTimeField(default=timezone.now, editable=False)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["is_enabled", "looked_at"], name="alert_turn")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The alert's own page."""
        return reverse("notifications:alert_detail", args=[self.id])


class AlertTarget(models.Model):
    """A target of an alert's messages.

    Attributes:
        shown: the address for display; of a web address only scheme and host, since the rest may be secret.
        sealed: address and signing secret, encrypted.
        key_id: id of the encryption key.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=10, choices=TargetKind)
    shown = models.CharField(max_length=300)
    sealed = models.TextField(editable=False)
    key_id = models.CharField(max_length=16, editable=False, db_index=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.shown}"


class AlertCheck(models.Model):
    """Records that an alert checked a render. The pair is unique, so that no render is checked twice.

    Attributes:
        value, reference: the key figure and what it was compared with; None for none.
        fired: whether a message was written.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="checks", db_index=False)
    render = models.ForeignKey(Render, on_delete=models.CASCADE, related_name="+")
    value = models.FloatField(null=True)
    reference = models.FloatField(null=True)
    fired = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "render"], name="alert_check_once")]

    def __str__(self) -> str:
        return f"{self.alert_id}: {self.render_id}"


class Delivery(models.Model):
    """A message to one target, or to a person's own e-mail address.

    Its id stays the same at each attempt, so that receivers can recognize a repetition.

    Attributes:
        alert, target: None for a message to a person.
        recipient: the account that gets it by e-mail; None for a message of an alert.
        key: identifies the reported event, such as `render:<id>`; unique per target, so that the message is sent once.
        message: the content, as JSON.
        attempts: number of attempts begun.
        due_at: earliest time of the next attempt.
        queued_at: when its job was last queued; None if not since the last attempt.
        claimed_until: end of a worker's claim; afterwards the attempt counts as lost with its worker.
        status_code: of the latest response; None for no response.
        error: the latest attempt's error, in one sentence.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(
        Alert, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    target = models.ForeignKey(
        AlertTarget, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
    )
    key = models.CharField(max_length=80)
    message = models.JSONField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["target", "key"], name="delivery_once"),
            models.UniqueConstraint(
                fields=["recipient", "key"], condition=models.Q(recipient__isnull=False), name="delivery_person_once"
            ),
        ]
        indexes = [
            models.Index(fields=["alert", "-created_at"], name="delivery_log"),
            models.Index(
                fields=["due_at"],
                name="delivery_open",
                condition=models.Q(state__in=OPEN_STATES),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.state}"

    @property
    def known_state(self) -> DeliveryState:
        """Its state, with icon, colour and label."""
        return DeliveryState.by_value(self.state)

    @property
    def is_recovery(self) -> bool:
        """Whether it reports the end of a condition."""
        return bool(self.message.get("is_recovered"))

    @property
    def is_test(self) -> bool:
        """Whether it is a test of the target."""
        return self.key.startswith("test:")
