"""What the portal keeps: visualizations, their append-only renders, and the tokens of scripts."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from apps.runs.middleware import endpoint_path
from apps.visualizations.states import ACTIVE_STATES, RenderState


class Recipe(models.Model):
    """What is drawn of which artifact of a pipeline, whatever the run: the visualizations of one recipe are a series.

    Attributes:
        digest: SHA-256 of all that makes it; equal recipes are one row.
        part: names or a pattern below the artifact's folder; or the URI that a person named instead of an artifact.
        arguments: of the type, defaults filled in.
        code, environment: of custom code only.
        sample_rows: a try on so many rows; None for all of them.
        baseline: what the others of the series are compared with; None for the one before each.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    endpoint_key = models.CharField(max_length=100, blank=True)
    namespace = models.CharField(max_length=100, blank=True)
    pipeline_name = models.CharField(max_length=500, blank=True)
    step_id = models.CharField(max_length=500, blank=True)
    artifact_name = models.CharField(max_length=500, blank=True)
    part = models.TextField(blank=True)
    type_key = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    code = models.TextField(blank=True)
    environment = models.CharField(max_length=50, blank=True)
    sample_rows = models.PositiveIntegerField(null=True, blank=True)
    baseline = models.ForeignKey("Visualization", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["endpoint_key", "pipeline_name"], name="recipe_pipeline")]

    def __str__(self) -> str:
        return f"{self.type_key} of {self.step_id or self.part}"


class Visualization(models.Model):
    """One picture of one artifact, made anew by each of its renders.

    The names of run, pipeline and step are copies: the page stays readable after Kubeflow forgets the run.

    Attributes:
        recipe: what its latest render draws; None where it is of no run, or an older version saved it (the reconciler
            then adds it).
        run_created_at: the place in its series; None where that is not known.
        outcome: how its latest render ended; "" while that waits or runs, and until the reconciler has looked at the
            row of an older version.
        superseded_by: what its owner made of it by *Edit*; the gallery shows that one in its place once it succeeded.
        tags: words that people put on it, each on a line of its own between two line feeds; "" for none.
        is_pinned: shown first, and never pruned.
        text: everything that a search looks at, in small letters; "" until the reconciler has written it.
        deleted_at: when it was deleted; it can be restored for a day, and is nowhere to be seen meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    type_key = models.CharField(max_length=100)
    endpoint_key = models.CharField(max_length=100, blank=True)
    # The run's, where the endpoint is multi-user: who may read it may see this.
    namespace = models.CharField(max_length=100, blank=True)
    run_id = models.CharField(max_length=200, blank=True)
    run_name = models.CharField(max_length=500, blank=True)
    pipeline_name = models.CharField(max_length=500, blank=True)
    step_id = models.CharField(max_length=500, blank=True)
    step_name = models.CharField(max_length=500, blank=True)
    artifact_name = models.CharField(max_length=500, blank=True)
    artifact_uri = models.TextField(blank=True)
    source_uri = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="visualizations"
    )
    recipe = models.ForeignKey(
        Recipe, null=True, blank=True, on_delete=models.SET_NULL, related_name="visualizations", db_index=False
    )
    run_created_at = models.DateTimeField(null=True, blank=True, editable=False)
    latest = models.ForeignKey("Render", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    outcome = models.CharField(max_length=12, blank=True, default="", db_default="", editable=False)
    superseded_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="supersedes", db_index=False
    )
    is_pinned = models.BooleanField(default=False, db_default=False)
    tags = models.TextField(blank=True, default="", db_default="", editable=False)
    notes = models.TextField(blank=True, default="", db_default="")
    text = models.TextField(blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["-created_at"], name="visualization_newest"),
            models.Index(fields=["endpoint_key", "run_id", "step_id"], name="visualization_step"),
            models.Index(fields=["type_key", "-created_at"], name="visualization_type"),
            models.Index(fields=["endpoint_key", "namespace"], name="visualization_namespace"),
            models.Index(fields=["recipe", "run_created_at"], name="visualization_series"),
            models.Index(
                fields=["created_at"],
                name="visualization_no_recipe",
                condition=models.Q(recipe=None, latest__isnull=False) & ~models.Q(run_id=""),
            ),
            # Nearly all succeed: a full index would only lead SQLite to sort those.
            models.Index(
                fields=["outcome", "-created_at"],
                name="visualization_outcome",
                condition=~models.Q(outcome=RenderState.SUCCEEDED),
            ),
            models.Index(fields=["pipeline_name", "-created_at"], name="visualization_pipeline"),
            models.Index(fields=["owner", "-created_at"], name="visualization_owner"),
            models.Index(fields=["title"], name="visualization_title"),
            models.Index(fields=["-created_at"], name="visualization_pinned", condition=models.Q(is_pinned=True)),
            models.Index(
                fields=["deleted_at"], name="visualization_deleted", condition=models.Q(deleted_at__isnull=False)
            ),
            models.Index(fields=["-created_at"], name="visualization_tagged", condition=~models.Q(tags="")),
            models.Index(fields=["created_at"], name="visualization_no_text", condition=models.Q(text="")),
            models.Index(
                fields=["superseded_by"],
                name="visualization_superseded",
                condition=models.Q(superseded_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The visualization's own page."""
        return reverse("visualizations:visualization_detail", args=[self.id])

    @property
    def tag_names(self) -> list[str]:
        """Its tags, in the order of the alphabet."""
        return self.tags.split()

    @property
    def run_url(self) -> str:
        """The run's page at its own endpoint; "" where it was made of no run."""
        return endpoint_path(self.endpoint_key, f"/runs/{quote(self.run_id)}/") if self.run_id else ""

    @property
    def step_url(self) -> str:
        """The step's page at its run's endpoint; "" where it was made of no step."""
        return f"{self.run_url}steps/{quote(self.step_id)}/" if self.run_id and self.step_id else ""


class Render(models.Model):
    """One making of a visualization: what went in, how it went, what came out. Never edited afterwards.

    Every change of state is one conditional UPDATE that names the attempt (services/execution.py, reconciliation.py).
    So a worker that was taken for dead and comes back changes nothing.

    Attributes:
        attempt: counts the workers that were given this render, from 1.
        losses: how many of them vanished with it.
        receipt: digest of everything that decides the result; the same receipt gives the same picture.
        deadline: past it the render has timed out, whatever its worker says; None until it runs.
        cell, cells: how far it is, 0 before the first.
        timings: seconds by phase.
        log: what the code printed, capped.
        kernel: the Jupyter kernelspec it runs in; "" for Python in the render's own process.
        source_metadata: the artifact's metadata where that is its data (Kubeflow's metrics); then it is the source.
        source_version: what the store said of the source when it was read (`sources.source_version`); "" for nothing.
        dependencies: requirements of the code beside its environment's packages.
        sample_rows: a try on so many rows of each file; None for all of them.
        damaged_at: when the store was seen to hold something else than was saved; None while all of it is as saved.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visualization = models.ForeignKey(Visualization, on_delete=models.CASCADE, related_name="renders")
    number = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    losses = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=12, choices=RenderState, default=RenderState.QUEUED)
    reason = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    line = models.PositiveIntegerField(null=True, blank=True)

    arguments = models.JSONField(default=dict)
    code = models.TextField()
    is_custom = models.BooleanField(default=False)
    type_version = models.CharField(max_length=16)
    environment = models.CharField(max_length=50)
    kernel = models.CharField(max_length=60, blank=True)
    environment_lock = models.CharField(max_length=64, blank=True)
    dependencies = models.JSONField(default=list, db_default=[], blank=True)
    sandbox = models.CharField(max_length=200, blank=True)
    source_uri = models.TextField(blank=True)
    source_metadata = models.JSONField(default=dict, db_default={}, blank=True)
    sample_rows = models.PositiveIntegerField(null=True, blank=True)
    source_digest = models.CharField(max_length=64, blank=True)
    source_bytes = models.BigIntegerField(null=True, blank=True)
    source_version = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    receipt = models.CharField(max_length=64, db_index=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="renders"
    )

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    timeout_s = models.FloatField()

    cell = models.PositiveIntegerField(default=0)
    cells = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict)
    peak_memory_bytes = models.BigIntegerField(null=True, blank=True)
    html = models.FileField(blank=True, max_length=300)
    html_bytes = models.BigIntegerField(null=True, blank=True)
    html_sha256 = models.CharField(max_length=64, blank=True)
    notebook = models.FileField(blank=True, max_length=300)
    notebook_bytes = models.BigIntegerField(null=True, blank=True)
    notebook_sha256 = models.CharField(max_length=64, blank=True, db_default="", default="")
    damaged_at = models.DateTimeField(null=True, blank=True)
    log = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["visualization", "number"], name="render_number_unique"),
            models.CheckConstraint(condition=models.Q(state__in=RenderState.values), name="render_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["environment", "created_at"],
                name="render_queue",
                condition=models.Q(state=RenderState.QUEUED),
            ),
            models.Index(fields=["state", "lease_until"], name="render_lease"),
            models.Index(fields=["requested_by", "state"], name="render_requester"),
            models.Index(fields=["finished_at"], name="render_finished", condition=models.Q(finished_at__isnull=False)),
            # When somebody last had a turn.
            models.Index(
                fields=["requested_by", "started_at"],
                name="render_turns",
                condition=models.Q(started_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visualization_id} no. {self.number}"

    def get_absolute_url(self) -> str:
        """The render's own page."""
        return reverse("visualizations:render_detail", args=[self.visualization_id, self.number])

    @property
    def known_state(self) -> RenderState:
        """Its state, with icon, colour and label."""
        return RenderState.by_value(self.state)

    @property
    def is_active(self) -> bool:
        """Whether its state can still change."""
        return self.state in ACTIVE_STATES

    @property
    def is_cancelling(self) -> bool:
        """Whether somebody asked it to stop and it has not stopped yet."""
        return self.is_active and self.cancel_requested_at is not None

    @property
    def duration(self) -> timedelta | None:
        """From its start to its end, or to now while it runs; None where it never started."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def content_url(self) -> str:
        """The address of the picture; "" where there is none."""
        return reverse("visualizations:render_content", args=[self.id]) if self.html else ""


class QueuePause(models.Model):
    """The workers of an environment take no renders; those that run end as usual.

    Attributes:
        environment: "" for all of them.
        reason: what everybody reads on the pages.
        paused_by: the administrator's name, a copy; "" for a command.
    """

    environment = models.CharField(max_length=50, unique=True, blank=True)
    reason = models.CharField(max_length=200)
    paused_by = models.CharField(max_length=254, blank=True)
    paused_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["environment"]

    def __str__(self) -> str:
        return f"{self.environment or 'all environments'}: {self.reason}"


class RenderFigure(models.Model):
    """A key figure of a render: a number that its code left beside its page.

    Attributes:
        value: finite.
        better: higher, lower or none.
    """

    # The unique constraint below is an index of it too.
    render = models.ForeignKey(Render, on_delete=models.CASCADE, related_name="figures", db_index=False)
    name = models.CharField(max_length=100)
    value = models.FloatField()
    unit = models.CharField(max_length=20, blank=True)
    better = models.CharField(max_length=6, choices=[(each, each) for each in ("higher", "lower", "none")])

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["render", "name"], name="figure_name_unique")]
        indexes = [models.Index(fields=["name", "value"], name="figure_value")]

    def __str__(self) -> str:
        return f"{self.name} {self.value:g} {self.unit}".rstrip()


def token_digest(raw: str) -> str:
    """Returns what is stored of a token. A random 256-bit secret needs no salt and no slow hash."""
    return hashlib.sha256(raw.encode()).hexdigest()


class ApiToken(models.Model):
    """A script's way in: `Authorization: Bearer <token>` acts as its user. Only the digest is kept.

    Attributes:
        prefix: the token's first characters, for people to tell theirs apart.
    """

    name = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"
