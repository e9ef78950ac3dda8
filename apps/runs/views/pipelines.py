"""Pipelines, their versions, uploads, and experiments."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.runs import actions, contexts, exceptions, graph
from apps.runs.forms import UploadForm, VersionForm
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.gateway import spec as specs
from apps.runs.views.errors import handle_kubeflow_errors


@require_GET
@handle_kubeflow_errors
def pipeline_list(request: HttpRequest) -> HttpResponse:
    """Lists pipelines, filtered by a part of their name."""
    return _list(request, gateway_for(caller_of(request)), UploadForm(), status=200)


def _list(request: HttpRequest, gateway: Gateway, form: UploadForm, *, status: int) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:200]
    sort = request.GET.get("sort", "-created")
    page = gateway.pipelines(text=text, sort=sort, page_token=request.GET.get("page", ""))
    context = {"page": page, "text": text, "sort": sort, "form": form}
    return render(request, "runs/pipeline_list.html", context, status=status)


@require_POST
@handle_kubeflow_errors
def pipeline_upload(request: HttpRequest) -> HttpResponseBase:
    """Uploads a compiled pipeline; a refusal by Kubeflow is shown with the unchanged form."""
    caller = caller_of(request)
    # Checked before the form, whose errors do not concern people without the permission.
    caller.require(Right.CREATE)
    form = UploadForm(request.POST, request.FILES)
    gateway = gateway_for(caller)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            pipeline = actions.pipeline_upload(
                caller, gateway, sent["file"], name=sent["name"], description=sent["description"]
            )
        except exceptions.EndpointError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Uploaded {pipeline.name}.")
            return redirect("runs:pipeline_detail", pipeline_id=pipeline.id)
    return _list(request, gateway, form, status=422)


@require_GET
@handle_kubeflow_errors
def pipeline_detail(request: HttpRequest, pipeline_id: str) -> HttpResponse:
    """Shows a pipeline: its newest version's graph, and all versions."""
    gateway = gateway_for(caller_of(request))
    return _detail(request, gateway, pipeline_id, VersionForm(initial=_next_version()), status=200)


@require_POST
@handle_kubeflow_errors
def version_upload(request: HttpRequest, pipeline_id: str) -> HttpResponseBase:
    """Uploads the next version of a pipeline; a refusal by Kubeflow is shown with the unchanged form."""
    caller = caller_of(request)
    caller.require(Right.CREATE)
    form = VersionForm(request.POST, request.FILES)
    gateway = gateway_for(caller)
    if form.is_valid():
        sent = form.cleaned_data
        try:
            version = actions.pipeline_version_upload(
                caller, gateway, sent["file"], name=sent["name"], pipeline_id=pipeline_id
            )
        except exceptions.EndpointError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Uploaded the version {version.name}.")
            return redirect("runs:version_detail", pipeline_id=pipeline_id, version_id=version.id)
    return _detail(request, gateway, pipeline_id, form, status=422)


def _next_version() -> dict[str, str]:
    return {"name": f"{timezone.now():%Y-%m-%d %H:%M:%S}"}


def _detail(
    request: HttpRequest, gateway: Gateway, pipeline_id: str, form: VersionForm, *, status: int
) -> HttpResponse:
    pipeline = gateway.pipeline(pipeline_id)
    versions = gateway.pipeline_versions(pipeline_id, page_token=request.GET.get("page", ""))
    latest = versions.items[0] if versions.items else None
    if latest and not latest.spec:
        latest = gateway.pipeline_version(pipeline_id, latest.id)
    context = {"pipeline": pipeline, "versions": versions, "latest": latest, "form": form}
    if latest:
        context |= contexts.plan(latest, graph.GraphViewState.from_query(request.GET), view="graph")
    return render(request, "runs/pipeline_detail.html", context, status=status)


@require_GET
@handle_kubeflow_errors
def version_detail(request: HttpRequest, pipeline_id: str, version_id: str) -> HttpResponse:
    """Shows one version: graph, parameters, spec."""
    gateway = gateway_for(caller_of(request))
    version = gateway.pipeline_version(pipeline_id, version_id)
    view = request.GET.get("view", "graph")
    view = view if view in contexts.PLAN_VIEWS else "graph"
    context = {
        "pipeline": gateway.pipeline(pipeline_id),
        "version": version,
        "views": contexts.PLAN_VIEWS,
        "parameters": specs.parameters(version.spec),
        "spec_text": contexts.spec_text(version.spec) if view == "spec" else "",
        **contexts.plan(version, graph.GraphViewState.from_query(request.GET), view=view),
    }
    return render(request, "runs/version_detail.html", context)


@require_GET
@handle_kubeflow_errors
def experiment_list(request: HttpRequest) -> HttpResponse:
    """Lists experiments, filtered by a part of their name."""
    text = request.GET.get("q", "").strip()[:200]
    page = gateway_for(caller_of(request)).experiments(text=text, page_token=request.GET.get("page", ""))
    return render(request, "runs/experiment_list.html", {"page": page, "text": text})
