"""Applies a recipe to other runs: the visualizations that result belong to one series."""

from __future__ import annotations

from collections.abc import Callable

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.runs.entities import Artifact, RunDetails, Step
from apps.runs.exceptions import NotFoundError
from apps.runs.gateway import Gateway
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Recipe, Visualization
from apps.visualizations.services.requests import VisualizationRequest
from apps.visualizations.services.rights import change_check, right_check
from apps.visualizations.services.submission import Submission, visualization_create


def recipe_apply(
    caller: Caller,
    recipe: Recipe,
    run_id: str,
    gateway: Gateway,
    *,
    title: str = "",
    on_saved: Callable[[Submission], None] | None = None,
) -> Submission:
    """Applies a recipe to another run's artifact, or returns the saved result with the same cache key.

    Args:
        recipe: a recipe that the caller may see.
        gateway: to the recipe's endpoint, acting with the caller's permissions.
        title: "" for the automatic one.
        on_saved: see `visualization_create`.

    Raises:
        NotAllowedError: the caller may not create.
        NotFoundError: the run lacks the step, or the step lacks the artifact.
        VisualizationsError, RunsError: see `visualization_create`.
    """
    right_check(caller, Right.CREATE)
    source = recipe.part
    if recipe.artifact_name and "://" not in source:
        artifact = _artifact(gateway.run_details(run_id), recipe)
        source = f"{artifact.uri.rstrip('/')}/{recipe.part}" if recipe.part else ""
    request = VisualizationRequest(
        type_key=recipe.type_key,
        run_id=run_id,
        step_id=recipe.step_id,
        artifact_name=recipe.artifact_name,
        source=source,
        arguments=recipe.arguments,
        code=recipe.code,
        environment=recipe.environment,
        is_sample=recipe.sample_rows is not None,
        title=title,
    )
    return visualization_create(caller, request, gateway, on_saved=on_saved)


def baseline_set(caller: Caller, visualization: Visualization, *, is_baseline: bool) -> None:
    """Makes a visualization the baseline of its series, or removes the series' baseline.

    Raises:
        NotAllowedError: the caller is neither its owner nor an administrator.
        InvalidRequestError: it belongs to no series.
    """
    change_check(caller, visualization)
    if visualization.recipe_id is None:
        raise InvalidRequestError("It does not belong to a run, so it has no series.")
    chosen = visualization if is_baseline else None
    Recipe.objects.filter(id=visualization.recipe_id).update(baseline=chosen)


def _artifact(details: RunDetails, recipe: Recipe) -> Artifact:
    step: Step | None = details.step(recipe.step_id)
    if step is None:
        raise NotFoundError(f"The run {details.run.name} has no step {recipe.step_id!r}.")
    named = [each for each in step.artifacts if each.name == recipe.artifact_name]
    found = min(named, key=lambda each: each.direction != "output", default=None)
    if found is None:
        name, run_name = recipe.artifact_name, details.run.name
        raise NotFoundError(f"The step {step.name} of the run {run_name} has no artifact {name!r}.")
    return found
