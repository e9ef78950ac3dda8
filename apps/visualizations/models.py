"""Database models: visualizations, their append-only renders, and API tokens."""

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
    """A type, its arguments and an artifact of a pipeline, independent of the run. Its visualizations are a series.

    Attributes:
        digest: SHA-256 of all parts; equal recipes are one row.
        part: names or a pattern below the artifact's folder, or the URI that a person named instead of an artifact.
        arguments: arguments of the type, with defaults filled in.
        code, environment: for custom code only.
        sample_rows: rows of a sample; None for the whole source.
        baseline: the visualization that the others are compared with; None compares each with the one before.
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
    """A saved request for a picture of an artifact, with the history of its renders.

    The names of run, pipeline and step are copies, so that pages stay readable after Kubeflow deletes the run.

    Attributes:
        recipe: the recipe of its latest render; None without a run, or for a row of an older version until the
            reconciler fills it in.
        run_created_at: determines the place in its series; None if unknown.
        outcome: how its latest render ended; "" while that is active, and for rows of an older version until the
            reconciler fills it in.
        superseded_by: the visualization its owner made from it with *Edit*; once that succeeds, the gallery shows it
            instead.
        tags: words added by people, each between two line feeds; "" for none.
        is_pinned: listed first, and never pruned.
        text: the lower-case search text; "" until the reconciler has written it.
        deleted_at: when it was deleted; it is hidden at once, and can be restored for a day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    type_key = models.CharField(max_length=100)
    endpoint_key = models.CharField(max_length=100, blank=True)
    # The run's namespace on a multi-user endpoint: those who may read it may see this visualization.
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
            # Nearly all succeed: with a full index, SQLite would choose it for those and sort them.
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
        """Its tags in alphabetical order."""
        return self.tags.split()

    @property
    def run_url(self) -> str:
        """The run's page on its own endpoint; "" without a run."""
        return endpoint_path(self.endpoint_key, f"/runs/{quote(self.run_id)}/") if self.run_id else ""

    @property
    def step_url(self) -> str:
        """The step's page on its run's endpoint; "" without a step."""
        return f"{self.run_url}steps/{quote(self.step_id)}/" if self.run_id and self.step_id else ""


class Render(models.Model):
    """One execution of a visualization, with its inputs, progress and result. It does not change after it ended.

    Every change of state is one conditional UPDATE that names the attempt (services/execution.py, reconciliation.py),
    so a worker that was taken for dead and comes back changes nothing.

    Attributes:
        attempt: number of the current attempt, from 1.
        losses: number of attempts that were lost to vanished workers or machine faults.
        receipt: the cache key: a digest of everything that determines the result.
        deadline: when the reconciler times the render out, whatever its worker reports; None until it runs.
        cell, cells: current cell and number of cells; 0 before the first.
        timings: seconds by phase.
        log: the code's output, limited in length.
        kernel: the Jupyter kernelspec that runs the code; "" for Python in the render's own process.
        source_metadata: the artifact's metadata if that is its data (Kubeflow's metrics); it is then the source.
        source_version: the source's version at the store when it was read (`sources.source_version`); "" if unknown.
        dependencies: requirements that the code adds to its environment's packages.
        sample_rows: rows of a sample of each file; None for the whole source.
        damaged_at: when stored files were found not to match what was saved; None if they match.
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
            # Finds when somebody last had a turn.
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
        """Whether a cancel was requested and the render is still active."""
        return self.is_active and self.cancel_requested_at is not None

    @property
    def duration(self) -> timedelta | None:
        """Time from its start to its end, or until now while it runs; None if it never started."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def content_url(self) -> str:
        """The address of the result's page; "" if there is none."""
        return reverse("visualizations:render_content", args=[self.id]) if self.html else ""


class QueuePause(models.Model):
    """A pause of an environment's queue: workers begin no renders; running ones end as usual.

    Attributes:
        environment: the environment; "" for all.
        reason: shown to everybody.
        paused_by: copy of the administrator's name; "" for a command.
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
        value: a finite number.
        better: higher, lower or none.
    """

    # The unique constraint below already provides an index.
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
    """Returns the stored digest of a token. A random 256-bit secret needs neither salt nor a slow hash."""
    return hashlib.sha256(raw.encode()).hexdigest()


class ApiToken(models.Model):
    """An API token: `Authorization: Bearer <token>` acts as its user. Only the digest is stored.

    Attributes:
        prefix: the token's first characters, so that people can tell their tokens apart.
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
