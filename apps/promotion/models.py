"""Database models: proposals and their versions."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from apps.ui.states import ShownChoices, Tone
from apps.visualizations.models import Render


class VersionState(ShownChoices):
    """The state of a version."""

    DRAFT = "draft", "pencil", Tone.IDLE, "Draft"
    PROPOSED = "proposed", "hourglass", Tone.WARN, "In review"
    APPROVED = "approved", "circle-check", Tone.OK, "Approved"
    REJECTED = "rejected", "circle-x", Tone.BAD, "Rejected"
    WITHDRAWN = "withdrawn", "ban", Tone.IDLE, "Withdrawn"


class Proposal(models.Model):
    """The origin of one type: its author, its versions, and which of them is the type now.

    Attributes:
        key: key of the type from the first approval on, before that "". It stays taken after the type is retired.
        latest: the newest version; private to the author while it is a draft.
        pending: the version in review; None for none.
        approved: the version that is the type, even after retirement; None before the first approval.
        retired_at: when the type was retired; None while it is in use.
        author_name: a copy that outlives the account.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=40, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="proposals")
    author_name = models.CharField(max_length=254, blank=True)
    latest = models.ForeignKey("Version", null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    pending = models.ForeignKey("Version", null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    approved = models.ForeignKey("Version", null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="proposal_key_unique")]
        indexes = [models.Index(fields=["key"], condition=Q(retired_at=None) & ~Q(key=""), name="proposal_in_use")]

    def __str__(self) -> str:
        return self.key or f"proposal {self.id}"

    def get_absolute_url(self) -> str:
        """The proposal's own page."""
        return reverse("promotion:proposal_detail", args=[self.id])

    @property
    def is_in_use(self) -> bool:
        """Whether new results of its type can be made."""
        return self.approved_id is not None and self.retired_at is None


class Version(models.Model):
    """A version of a proposal. Its file never changes; its state does.

    Attributes:
        number: counts from 1.
        file: the type's complete file, with its header (docs/add-a-type.md).
        key, title: copies from the header, for lists.
        sample: the author's own render of the code; None if it was deleted.
        reviewer_name: a copy that outlives the account.
        is_own: whether the author decided, being the only person who may.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    file = models.TextField()
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT)
    sample = models.ForeignKey(Render, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    proposed_at = models.DateTimeField(null=True, blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reviewer_name = models.CharField(max_length=254, blank=True)
    is_own = models.BooleanField(default=False)
    comment = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="proposal_version_unique"),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="proposal_version_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    @property
    def known_state(self) -> VersionState:
        """Its state, with icon, colour and label."""
        return VersionState.by_value(self.state)
