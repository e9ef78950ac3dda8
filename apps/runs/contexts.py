"""Template contexts of the run pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import yaml
from django.urls import NoReverseMatch, reverse

from apps.runs import charts, graph, previews
from apps.runs.entities import Artifact, Phase, PipelineVersion, RunDetails, State, Step
from apps.runs.gateway.spec import effective_parameters
from apps.runs.graph import page as graph_page
from apps.runs.previews import ui_metadata

VIEWS: Final = {
    "graph": "Graph",
    "steps": "Steps",
    "timeline": "Timeline",
    "parameters": "Parameters",
    "spec": "Spec",
}
PLAN_VIEWS: Final = {"graph": "Graph", "steps": "Tasks", "parameters": "Parameters", "spec": "Spec"}
# Query parameters of a step's page that preselect values in the Creator, besides arguments.
CHOOSES: Final = frozenset({"artifact", "type", "from", "title", "timeout_s", "environment", "arguments_view", "new"})
ARGUMENT_PREFIX: Final = "arguments-"
_MOST_FAILURES: Final = 5
_COMPARED: Final = 60
TABS: Final = {"artifacts": "Artifacts", "io": "Input/Output", "logs": "Logs", "details": "Details"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepListItem:
    """A step in the list of steps; `depth` is the number of frames that contain it, at most 8."""

    step: Step
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactCard:
    """An artifact and what can be drawn of it without reading its bytes.

    Attributes:
        direct: "viewers" for KFP 1.x's own viewers; the preview kind if the type determines it (html and markdown are
            displayed at once); else "".
    """

    artifact: Artifact
    classifications: tuple[charts.Classification, ...]
    scalars: Mapping[str, Any]
    facts: Mapping[str, Any]
    direct: str

    @property
    def is_readable(self) -> bool:
        """Whether there are bytes to show or save; the data of metrics are in the lineage store."""
        return bool(self.artifact.uri) and "Metrics" not in self.artifact.type


def run_page(
    details: RunDetails, *, view: str, selected: Step | None, look: graph.GraphViewState | None = None
) -> dict[str, Any]:
    """Returns the run page's context; falls back to the list if the graph is too large to read.

    Args:
        details: the run.
        view: one of VIEWS.
        selected: the step whose panel is open.
        look: which frames of the graph are open; None lets the graph's size decide.
    """
    run, steps = details.run, details.steps
    context = graph_page.graph_context(steps, look or graph.GraphViewState(), view=view, selected=selected)
    shown = context["view"]
    timeline = graph_page.timeline_context(steps, run) if shown == "timeline" else {}
    return {
        "run": run,
        "details": details,
        "views": VIEWS,
        "is_live": not run.state.is_final,
        "selected": selected,
        "graph_name": run.name,
        "rows": rows(steps) if shown == "steps" else (),
        "spec_text": spec_text(run.spec) if shown == "spec" else "",
        "parameters": effective_parameters(run) if shown == "parameters" else {},
        "counts": counts(steps),
        "failures": (failures := failed_steps(steps)),
        "run_error": "" if _is_told(run.error, failures) else run.error,
        "results_url": results_url(run.id),
        "can_terminate": run.state.is_active,
        "can_retry": run.state.phase is Phase.UNSUCCESSFUL,
        **context,
        **timeline,
    }


def plan(version: PipelineVersion, look: graph.GraphViewState, *, view: str) -> dict[str, Any]:
    """Returns the graph part of a pipeline's context; falls back to the list of tasks if the graph is too large."""
    steps = graph.spec_steps(version.spec)
    context = graph_page.graph_context(steps, look, view=view, is_plan=True)
    return {**context, "graph_name": version.name, "rows": rows(steps) if context["view"] == "steps" else ()}


def rows(steps: Sequence[Step]) -> tuple[StepListItem, ...]:
    """Returns the steps with their depth in the tree."""
    depths: dict[str | None, int] = {None: -1}
    found = []
    for step in steps:
        depths[step.id] = depths.get(step.parent_id, -1) + 1
        found.append(StepListItem(step=step, depth=min(8, depths[step.id])))
    return tuple(found)


def counts(steps: Sequence[Step]) -> dict[State, int]:
    """Returns the number of steps in each state, without frames."""
    found: dict[State, int] = defaultdict(int)
    for step in steps:
        if not step.kind.is_frame:
            found[step.state] += 1
    return dict(found)


def failed_steps(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Returns the steps that failed themselves, without frames, which fail because of a step in them."""
    return tuple(step for step in steps if step.state is State.FAILED and not step.kind.is_frame)[:_MOST_FAILURES]


def _is_told(error: str, failures: Sequence[Step]) -> bool:
    """Whether the errors of the steps already contain the run's error."""
    return any(step.error and step.error[:_COMPARED] in error for step in failures)


def spec_text(spec: Mapping[str, Any]) -> str:
    """Returns a spec as YAML, the format in which its author compiled it; "" for none."""
    return yaml.safe_dump(_plain(spec), sort_keys=False, allow_unicode=True, width=110) if spec else ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def step_panel(details: RunDetails, step: Step, *, tab: str, chosen: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns the step panel's context; `chosen` holds the URL's parameters for the Creator."""
    cards = [_card(artifact) for artifact in step.artifacts]
    return {
        "run": details.run,
        "details": details,
        "selected": step,
        "step": step,
        "tab": tab,
        "tabs": TABS,
        "is_frame": step.kind.is_frame,
        "outputs": [card for card in cards if card.artifact.direction == "output"],
        "inputs": [card for card in cards if card.artifact.direction == "input"],
        "inside": [item for item in details.steps if item.parent_id == step.id],
        "creator_url": creator_url(details.run.id, step.id, chosen or {}) if offers_creator(step) else "",
    }


def _card(artifact: Artifact) -> ArtifactCard:
    drawn = charts.classifications(artifact.type, artifact.metadata)
    scalars = charts.scalars(artifact.metadata) if artifact.type == "system.Metrics" else {}
    hidden = {"confusionMatrix", "confidenceMetrics", "evaluationSlices"} if drawn else set(scalars)
    return ArtifactCard(
        artifact=artifact,
        classifications=drawn,
        scalars=scalars,
        facts={name: value for name, value in artifact.metadata.items() if name not in hidden},
        direct=_direct(artifact) if artifact.uri else "",
    )


def _direct(artifact: Artifact) -> str:
    if ui_metadata.is_drawn(artifact):
        return "viewers"
    kind = previews.kind_of_type(artifact.type)
    return kind.key if kind else ""


def offers_creator(step: Step) -> bool:
    """Whether a step's tab shows the Creator: the step ran and ended, and a frame has artifacts of its own."""
    has_run = step.state.is_final and step.state is not State.SKIPPED
    return has_run and (bool(step.artifacts) or not step.kind.is_frame)


def default_tab(step: Step) -> str:
    """Returns the tab that a step opens on; a failed step opens on its log."""
    return "logs" if step.state is State.FAILED and not step.kind.is_frame else "artifacts"


def creator_url(run_id: str, step_id: str, chosen: Mapping[str, str]) -> str:
    """Returns the URL of the Creator and the saved results of a step; "" if no app provides them.

    Another app provides them, and this app reaches it by URL name only.

    Args:
        run_id: the run.
        step_id: the step.
        chosen: the page's query parameters for the Creator: artifact, type, arguments.
    """
    try:
        url = reverse("visualizations:step_fragment", kwargs={"run_id": run_id, "step_id": step_id})
    except NoReverseMatch:
        return ""
    kept = {name: value for name, value in chosen.items() if name in CHOOSES or name.startswith(ARGUMENT_PREFIX)}
    return f"{url}?{urlencode(kept)}" if kept else url


def results_url(run_id: str) -> str:
    """Returns the URL of the list of a run's saved visualizations; "" if no app provides it."""
    try:
        return reverse("visualizations:run_results", kwargs={"run_id": run_id})
    except NoReverseMatch:
        return ""


def artifact_preview(details: RunDetails, step: Step, artifact: Artifact) -> dict[str, Any]:
    """Returns the context of a preview, without anything that requires reading the bytes."""
    return {
        "run": details.run,
        "step": step,
        "artifact": artifact,
        "card": _card(artifact),
        "preview": None,
        "can_be_visualized": offers_creator(step),
    }
