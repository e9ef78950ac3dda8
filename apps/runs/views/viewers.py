"""Artifact content that the browser draws: a file in a frame of its own, and KFP 1.x's viewers."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from apps.runs import exceptions, previews
from apps.runs.entities import Artifact
from apps.runs.previews import ui_metadata
from apps.runs.views.artifact_lookup import RequestedArtifact, requested_artifact
from apps.runs.views.errors import handle_kubeflow_errors
from apps.runs.views.runs import is_for
from apps.runs.views.sandboxed_response import SANDBOX, sandboxed_response
from apps.ui.parts import for_frames

# Chromium refuses to open its PDF viewer in a sandboxed frame. The viewer runs in a separate process, and content
# served with this policy begins with %PDF- and cannot be interpreted as anything else (nosniff), so it cannot become a
# page.
_PDF_POLICY: Final = (
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "form-action 'none'; base-uri 'none'"
)
_LARGEST_METADATA_BYTES: Final = 1024**2


@for_frames
@require_GET
@handle_kubeflow_errors
def artifact_frame(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponse:
    """Returns a page, an image or a PDF for a frame, unpacked from its .gz or .tgz."""
    requested = requested_artifact(request, run_id, step_id, artifact_id, path=request.GET.get("path", ""))
    artifact = requested.artifact
    if not _is_framed(request):
        return redirect("runs:artifact_preview", run_id=run_id, step_id=step_id, artifact_id=artifact_id)
    with requested.open() as stream:
        found = previews.content(artifact, stream)
    if found is None:
        raise Http404("This artifact cannot be shown in place; download it.")
    is_pdf = found.media_type == "application/pdf"
    response = HttpResponse(found.body, content_type=found.media_type)
    # A PDF viewer shows this as the title, and as the file name when saving.
    name = content_disposition_header(
        as_attachment=False, filename=previews.download_name(artifact, is_directory=False)
    )
    response["Content-Disposition"] = name or "inline"
    return sandboxed_response(response, _PDF_POLICY if is_pdf else SANDBOX)


@require_GET
@handle_kubeflow_errors
def artifact_viewers(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponse:
    """Draws what `mlpipeline-ui-metadata` or `mlpipeline-metrics` requests."""
    requested = requested_artifact(request, run_id, step_id, artifact_id)
    artifact = requested.artifact
    is_part = is_for(request, f"viewers-{artifact.direction}-{artifact_id}")
    try:
        drawing = ui_metadata.draw(_metadata(requested), _reader(requested))
    except ui_metadata.UndrawableError as error:
        drawing = ui_metadata.Drawing(note=str(error))
    except exceptions.RunsError as error:
        if not is_part:
            raise
        return render(request, "runs/_preview_missing.html", {"cause": str(error), "artifact": artifact})
    context = {"run": requested.details.run, "step": requested.step, "artifact": artifact, "drawing": drawing}
    return render(request, "runs/_viewers.html" if is_part else "runs/artifact_viewers.html", context)


@for_frames
@require_GET
@handle_kubeflow_errors
def viewer_web_app(request: HttpRequest, run_id: str, step_id: str, artifact_id: str, number: int) -> HttpResponse:
    """Returns the page of a web-app viewer, for a sandboxed frame."""
    requested = requested_artifact(request, run_id, step_id, artifact_id)
    if not _is_framed(request):
        return redirect("runs:artifact_viewers", run_id=run_id, step_id=step_id, artifact_id=artifact_id)
    if not ui_metadata.is_drawn(requested.artifact):
        raise Http404("This artifact holds no viewers.")
    try:
        item = ui_metadata.output(_metadata(requested), number)
        if item is None or item.get("type") != "web-app":
            raise Http404("This artifact has no such page.")
        body = ui_metadata.source_bytes(item, _reader(requested), previews.LARGEST_WHOLE_BYTES)
    except ui_metadata.UndrawableError as error:
        raise Http404(str(error)) from error
    return sandboxed_response(HttpResponse(body, content_type="text/html; charset=utf-8"))


def _metadata(requested: RequestedArtifact) -> bytes:
    with requested.open() as stream:
        return ui_metadata.read_all(requested.artifact, stream, _LARGEST_METADATA_BYTES)


def _reader(requested: RequestedArtifact) -> ui_metadata.Read:
    """Returns the function that reads a viewer's source with this person's permissions, like a run's artifact."""

    def read(uri: str, limit: int) -> bytes:
        source = Artifact(id="", name=uri, type="", uri=uri, direction="output")
        with requested.open(uri) as stream:
            return ui_metadata.read_all(source, stream, limit)

    return read


def _is_framed(request: HttpRequest) -> bool:
    """Whether the browser loads this into a frame, as far as its headers say."""
    return request.headers.get("Sec-Fetch-Dest", "iframe") in {"iframe", "embed", "object", "image"}
