"""Starts a run: choose a pipeline and version (or a run to clone), fill in its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.runs import actions, exceptions, selectors
from apps.runs.entities import PipelineVersion, Run
from apps.runs.forms import RunForm, initial_parameters, json_text
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.gateway import spec as specs
from apps.runs.views.errors import handle_kubeflow_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What to run.

    Attributes:
        version: None until a pipeline is chosen.
        clone: the run to take parameters from; None without one.
    """

    versions: tuple[PipelineVersion, ...] = ()
    version: PipelineVersion | None = None
    pipeline_id: str = ""
    clone: Run | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@handle_kubeflow_errors
def run_new(request: HttpRequest) -> HttpResponseBase:
    """Shows the form, or starts the run; keeps the input if something is wrong."""
    caller = caller_of(request)
    # Also for opening the form, which is of no use to people who may only view.
    caller.require(Right.CREATE)
    gateway = gateway_for(caller)
    choice = _choice(gateway, request.POST if request.method == "POST" else request.GET)
    form = _form(request, gateway, choice)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            run = actions.run_start(caller, gateway, _start(choice, form))
        except exceptions.EndpointError as error:
            form.add_error(None, f"Kubeflow did not start the run: {error}{_advice(choice, error)}")
        else:
            messages.success(request, f"Started {run.name}.")
            return redirect("runs:run_detail", run_id=run.id)
    context = {"choice": choice, "form": form, "pipelines": selectors.pipeline_choices(gateway)}
    is_refused = request.method == "POST"
    return render(request, "runs/run_new.html", context, status=422 if is_refused else 200)


def _advice(choice: _Choice, error: exceptions.EndpointError) -> str:
    """Returns advice if Kubeflow blocks pipelines of KFP 1.x in a namespace; "" for other refusals.

    Source of the words: kubeflow/pipelines, backend/src/apiserver/resource/resource_manager.go, BLOCK_V1_PIPELINES.
    """
    if choice.version is None or not specs.is_workflow(choice.version.spec) or "v1 pipelines" not in str(error):
        return ""
    return (
        " This version was compiled with KFP 1.x. Choose one that was compiled with KFP 2, or a namespace in which the "
        "cluster's administrator allows 1.x (V1_ALLOWED_NAMESPACES)."
    )


def _choice(gateway: Gateway, query: QueryDict) -> _Choice:
    clone_id = query.get("clone")
    with exceptions.named_by_person():
        clone = gateway.run_details(clone_id).run if clone_id else None
    pipeline_id = query.get("pipeline") or (clone.pipeline_id if clone else "")
    if not pipeline_id:
        return _Choice(version=_inline(clone), clone=clone)
    versions = gateway.pipeline_versions(pipeline_id, page_size=100).items
    wanted = query.get("version") or (clone.pipeline_version_id if clone else "")
    # After a change of the pipeline, the URL still contains a version of the previous one.
    known = {version.id: version for version in versions}
    version = known.get(wanted) or (versions[0] if versions else None)
    if version is not None and not version.spec:
        version = gateway.pipeline_version(pipeline_id, version.id)
    return _Choice(versions=versions, version=version, pipeline_id=pipeline_id, clone=clone)


def _inline(clone: Run | None) -> PipelineVersion | None:
    """Returns the spec of a run that was started from a spec instead of a pipeline, to clone the run from it."""
    if clone is None or not clone.spec:
        return None
    return PipelineVersion(id="", pipeline_id="", name=clone.pipeline_name, spec=clone.spec)


def _form(request: HttpRequest, gateway: Gateway, choice: _Choice) -> RunForm | None:
    if choice.version is None:
        return None
    experiments = [(item.id, item.name) for item in selectors.experiment_choices(gateway) if item.name != "Default"]
    parameters = specs.parameters(choice.version.spec)
    originals = choice.clone.parameters if choice.clone else {}
    has_plugins = gateway.knows_plugins() or bool(choice.clone and choice.clone.plugins_input)
    known: dict[str, Any] = {
        "parameters": parameters,
        "experiments": experiments,
        "originals": originals,
        "has_plugins": has_plugins,
    }
    if request.method == "POST":
        return RunForm(request.POST, **known)
    return RunForm(initial=_initial(request, choice, parameters), **known)


def _initial(request: HttpRequest, choice: _Choice, parameters: Any) -> dict[str, Any]:
    clone = choice.clone
    stamp = f"{timezone.now():%Y-%m-%d %H:%M}"
    if clone is None:
        name = choice.version.name if choice.version else ""
        return {"name": f"{name} {stamp}"[:128], "experiment_id": request.GET.get("experiment", "")}
    return {
        "name": f"Clone of {clone.name}"[:128],
        "experiment_id": clone.experiment_id,
        "pipeline_root": clone.pipeline_root,
        "plugins_input": json_text(clone.plugins_input) if clone.plugins_input else "",
        **initial_parameters(parameters, clone.parameters),
    }


def _start(choice: _Choice, form: RunForm) -> actions.RunStart:
    typed = form.cleaned_data
    return actions.RunStart(
        name=typed["name"],
        description=typed["description"],
        pipeline_id=choice.pipeline_id,
        version=choice.version or PipelineVersion(id="", pipeline_id="", name=""),
        experiment_id=typed["experiment_id"],
        new_experiment=typed["new_experiment"],
        parameters=form.parameter_values(),
        pipeline_root=typed["pipeline_root"],
        plugins_input=typed.get("plugins_input") or {},
    )
