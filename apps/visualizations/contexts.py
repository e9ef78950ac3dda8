"""Contexts of the templates of visualizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from renderer.environments import EnvironmentUnusableError

from apps.accounts.caller import Caller, caller_of
from apps.accounts.rights import Right
from apps.runs.entities import Artifact, RunDetails, Step
from apps.runs.gateway import Gateway
from apps.visualizations import provenance, selectors, turns
from apps.visualizations.advice import advice, may_run_longer
from apps.visualizations.forms import VisualizationForm
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.hosts import environment_available, environment_missing
from apps.visualizations.services.live import live_read
from apps.visualizations.services.results import result_is_damaged
from apps.visualizations.services.submission import Submission
from apps.visualizations.states import RenderState

if TYPE_CHECKING:
    from django.http import HttpRequest

_SUGGESTED: Final = 3
_SHOWN_TYPES: Final = 6
_RESULTS: Final = 30
_LONGEST_ENDING: Final = 8


def creator_context(caller: Caller, details: RunDetails, step: Step, form: VisualizationForm) -> dict[str, Any]:
    """Returns the Creator's context: the form, the types that fit best, and the addresses it posts to."""
    artifact = form.chosen_artifact
    fitting = selectors.type_suggestions(artifact) if artifact else []
    return {
        "run": details.run,
        "step": step,
        "form": form,
        "kind": form.kind,
        "fitting": fitting[:_SUGGESTED],
        "fitting_keys": {kind.key for kind in fitting[:_SUGGESTED]},
        "made_for": selectors.type_made_for(artifact) if artifact else None,
        "tfx_type": selectors.tfx_type(artifact) if artifact else "",
        "artifact_kind": _artifact_kind(artifact) if artifact else "",
        "view": form["arguments_view"].value() or "fields",
        **_types(form),
        "missing": (missing := _missing(form)),
        "paused": turns.pause_reason(form.kind.environment) if form.kind else None,
        "missing_here": missing.get(form.kind.key, "") if form.kind else "",
        "is_custom_off": not settings.ALLOW_CUSTOM_VISUALIZATIONS,
        "is_viewer": not caller.may(Right.CREATE),
        "fragment_url": reverse("visualizations:step_fragment", args=[details.run.id, step.id]),
        "words_url": reverse("visualizations:editor_words", args=[details.run.id, step.id]),
        "failed_line": form.initial.get("failed_line"),
        "failed_message": form.initial.get("failed_message"),
        "form_url": reverse("visualizations:creator_form", args=[details.run.id, step.id]),
    }


def _types(form: VisualizationForm) -> dict[str, Any]:
    """Returns the types to show at once, and the rest."""
    chosen = form.kind.key if form.kind else ""
    rest = form.kinds[_SHOWN_TYPES:]
    return {
        "types_first": form.kinds[:_SHOWN_TYPES],
        "types_rest": rest,
        "is_rest_chosen": any(kind.key == chosen for kind in rest),
    }


def _missing(form: VisualizationForm) -> dict[str, str]:
    """Returns a message for each type whose environment is not available, by type key."""
    keys = {kind.environment for kind in form.kinds}
    words = {key: environment_missing(key) for key in keys if not _is_available(key)}
    return {kind.key: words[kind.environment] for kind in form.kinds if kind.environment in words}


def _is_available(key: str) -> bool:
    try:
        return environment_available(key)
    except EnvironmentUnusableError:
        return False


def step_results_context(
    request: HttpRequest, gateway: Gateway, details: RunDetails, step: Step, made: Submission | None
) -> dict[str, Any]:
    """Returns the context of a step's saved results; `made` is the one that this request created or found."""
    context = saved_results_context(
        request, run_id=details.run.id, step_id=step.id, endpoint_key=gateway.endpoint.key, first=made, step=step
    )
    return context | {"made": made} | _creator_place(request, step, context["cards"], made)


def _creator_place(
    request: HttpRequest, step: Step, cards: list[dict[str, Any]], made: Submission | None
) -> dict[str, Any]:
    """Returns whether the Creator is open above the results, and whether the chosen artifact has none yet.

    Existing results come first. The Creator opens if the address chooses something that was not drawn yet.
    """
    asked = request.GET
    chosen = next((each.name for each in step.artifacts if asked.get("artifact") in {each.name, each.id}), "")
    shown = [card["visualization"] for card in cards]
    own = [each for each in shown if each.artifact_name == chosen]
    of_type = [each for each in (own if chosen else shown) if asked.get("type", each.type_key).lower() == each.type_key]
    is_asked = bool({"new", "from"} & asked.keys()) or (bool(chosen or asked.get("type")) and not of_type)
    return {
        # Code is written in several rounds, so its editor stays open.
        "is_creator_open": not cards or (made.render.is_custom if made else request.method == "POST" or is_asked),
        "is_none_here": bool(chosen) and not own,
        # Results of the artifact in the address come first.
        "cards": sorted(cards, key=lambda card: card["visualization"] not in own) if chosen and made is None else cards,
    }


def saved_results_context(
    request: HttpRequest,
    *,
    run_id: str,
    step_id: str,
    endpoint_key: str = "",
    first: Submission | None = None,
    step: Step | None = None,
) -> dict[str, Any]:
    """Returns a step's saved results, newest first, at most 30 of them as cards.

    Args:
        first: a result to show at the top, even if it belongs to another step (an existing result of the same receipt).
        step: the step as Kubeflow reports it now; None if Kubeflow does not answer.
    """
    found = selectors.visualization_list(caller_of(request), run_id=run_id, step_id=step_id)
    if endpoint_key:
        found = found.filter(endpoint_key=endpoint_key)
    renders = [each.latest for each in found[: _RESULTS + 1] if each.latest is not None]
    if first is not None:
        renders = [first.render, *(each for each in renders if each.visualization_id != first.visualization.id)]
    cards = [render_context(request, render, step) for render in renders[:_RESULTS]]
    return {"cards": cards, "has_more": len(renders) > _RESULTS, "run_id": run_id, "step_id": step_id}


def render_context(request: HttpRequest, render: Render, step: Step | None = None) -> dict[str, Any]:
    """Returns the context of a render's card; it can tell that the artifact changed only if `step` is given."""
    visualization = render.visualization
    edit = edit_url(visualization, render)
    return {
        "render": render,
        "visualization": visualization,
        "may_change": caller_of(request).may_change(visualization.owner_id),
        "place": selectors.queue_place(render),
        "live": live_read(caller_of(request), render) if render.state == RenderState.RUNNING else None,
        "advice": advice(render),
        "is_damaged": result_is_damaged(render),
        "figures": list(render.figures.all()) if render.state == RenderState.SUCCEEDED else [],
        "type_title": type_title(visualization.type_key),
        "edit_url": edit,
        "longer_url": f"{edit}&timeout_s={settings.KERNEL_TIMEOUT}" if edit and may_run_longer(render) else "",
        "longer_s": settings.KERNEL_TIMEOUT,
        "is_page": "page" in request.GET,
        "is_stale": step is not None and provenance.is_stale(render, step),
        "code_lines": _code_lines(lines := _lines_around(render)),
        "failed_text": next((text for _, text, is_failing in lines if is_failing), ""),
    }


def type_title(key: str) -> str:
    """Returns a type's title, or its key if the catalogue no longer has it."""
    return next((kind.title for kind in selectors.type_list() if kind.key == key), key)


def edit_url(visualization: Visualization, render: Render) -> str:
    """Returns the address that opens the Creator with a render's arguments; "" for renders without a step."""
    if not visualization.run_id or not visualization.step_id:
        return ""
    try:
        page = reverse("visualizations:step_fragment", args=[visualization.run_id, visualization.step_id])
    except NoReverseMatch:
        return ""
    return f"{page}?from={render.id}"


def _artifact_kind(artifact: Artifact) -> str:
    """Returns a short name for the artifact's kind: its file's suffix if it has one, else its type."""
    ending = artifact.file_name.rpartition(".")[2]
    is_ending = "." in artifact.file_name and ending.isalnum() and len(ending) <= _LONGEST_ENDING
    return ending.upper() if is_ending else artifact.type.removeprefix("system.")


def _lines_around(render: Render, reach: int = 3) -> list[tuple[int, str, bool]]:
    """Returns the code around the failing line as (number, text, whether it is that line); [] if no line is known.

    Only for custom code: for predefined types, message and traceback are enough.
    """
    if not render.line or not render.is_custom:
        return []
    lines = render.code.splitlines()
    first = max(1, render.line - reach)
    last = min(len(lines), render.line + reach)
    return [(number, lines[number - 1], number == render.line) for number in range(first, last + 1)]


def _code_lines(lines: list[tuple[int, str, bool]]) -> SafeString:
    """Returns the lines for a <pre>, in which the template's own white space would show."""
    classed = [("line-error" if is_failing else "line", f"{number:4d}", text) for number, text, is_failing in lines]
    return format_html_join("", '<span class="{}"><span class="muted">{}</span>  {}\n</span>', classed)
