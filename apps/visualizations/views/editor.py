"""Data for the code editor: completion words, and a type's code as a starting point."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from renderer import EnvironmentUnusableError
from renderer.environments import module_names
from vizkit.types.entities import VisualizationType

from apps.accounts.caller import caller_of
from apps.runs import previews
from apps.runs.entities import Artifact
from apps.runs.exceptions import RunsError
from apps.runs.gateway import Gateway, gateway_for
from apps.visualizations import selectors
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.forms import artifact_choose

if TYPE_CHECKING:
    from django.http import HttpRequest

_MOST_COLUMNS = 500


@require_safe
def editor_words(request: HttpRequest, run_id: str, step_id: str) -> HttpResponse:
    """Returns `columns` of the artifact (empty if it is no table) and `packages` of the environment, as JSON.

    Best effort: unavailable data yields an empty list, and the editor works without it.
    """
    key = request.GET.get("environment") or "base"
    try:
        packages = sorted([*module_names(environments().get(key)), "vizkit"])
    except EnvironmentUnusableError:
        packages = []
    return JsonResponse({"columns": _columns_of(request, run_id, step_id), "packages": packages})


def _columns_of(request: HttpRequest, run_id: str, step_id: str) -> list[str]:
    try:
        gateway = gateway_for(caller_of(request))
        details = gateway.run_details(run_id)
        step = details.step(step_id)
        artifact = artifact_choose(step, request.GET.get("artifact", "")) if step else None
        return _columns(gateway, artifact, details.run.namespace) if artifact and artifact.uri else []
    except RunsError:
        return []


def _columns(gateway: Gateway, artifact: Artifact, namespace: str) -> list[str]:
    with gateway.open_artifact(artifact.uri, namespace=namespace) as stream:
        if stream.is_directory:
            return []
        preview = previews.preview(artifact, stream)
        return list(preview.header[:_MOST_COLUMNS]) if isinstance(preview, previews.TablePreview) else []


@require_safe
def type_code(request: HttpRequest, key: str) -> HttpResponse:  # noqa: ARG001  (a view)
    """Returns a predefined type's code as custom code, with its default arguments at the top."""
    try:
        kind = selectors.type_get(key)
    except InvalidRequestError as error:
        raise Http404(str(error)) from error
    response = HttpResponse(_as_custom(kind), content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _as_custom(kind: VisualizationType) -> str:
    if kind.is_custom:
        return kind.code
    rules = kind.schema.get("properties", {})
    defaults = {name: rule["default"] for name, rule in rules.items() if "default" in rule}
    named = "\n".join(f"    {name!r}: {value!r}," for name, value in json.loads(json.dumps(defaults)).items())
    header = f'# /// script\n# [tool.vizportal]\n# environment = "{kind.environment}"\n# ///\n'
    begin = header if kind.environment != "base" else ""
    return (
        f"{begin}# {kind.title}: what it does, to be changed.\nvariables = {{\n{named}\n}} | variables\n\n{kind.code}"
    )
