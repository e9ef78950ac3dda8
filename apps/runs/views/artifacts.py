"""An artifact's preview, the files of a folder, and its download."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_safe

from apps.runs import contexts, exceptions, previews
from apps.runs.views import ranges
from apps.runs.views.artifact_lookup import requested_artifact
from apps.runs.views.errors import handle_kubeflow_errors
from apps.runs.views.runs import is_for
from apps.runs.views.sandboxed_response import sandboxed_response


@require_GET
@handle_kubeflow_errors
def artifact_preview(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponse:
    """Shows the first part of an artifact. Does not read the object of metrics: the lineage store has all of them."""
    path = request.GET.get("path", "")
    found = requested_artifact(request, run_id, step_id, artifact_id, path=path)
    is_part = any(is_for(request, f"preview-{side}-{artifact_id}") for side in ("input", "output"))
    context = contexts.artifact_preview(found.details, found.step, found.artifact)
    context["path_query"] = f"?{urlencode({'path': path})}" if path else ""
    context["frame_url"] = reverse("runs:artifact_frame", args=(run_id, step_id, artifact_id)) + context["path_query"]
    context["media_url"] = reverse("runs:artifact_media", args=(run_id, step_id, artifact_id)) + context["path_query"]
    if context["card"].is_readable:
        try:
            with found.open() as stream:
                context["preview"] = previews.preview(found.artifact, stream)
        except exceptions.RunsError as error:
            if not is_part:
                raise
            return render(request, "runs/_preview_missing.html", {"cause": str(error), "artifact": found.artifact})
    return render(request, "runs/_preview.html" if is_part else "runs/artifact_preview.html", context)


@require_GET
@handle_kubeflow_errors
def artifact_listing(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponse:
    """Shows the files of an artifact that is a folder."""
    found = requested_artifact(request, run_id, step_id, artifact_id)
    run = found.details.run
    listing = found.gateway.list_artifact(found.artifact.uri, namespace=run.namespace)
    context = {"run": run, "step": found.step, "artifact": found.artifact, "listing": listing}
    return render(request, "runs/artifact_listing.html", context)


@require_safe
@handle_kubeflow_errors
def artifact_download(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponseBase:
    """Streams an artifact, or a part of it, as a file to save; a folder is streamed as a .tar.gz."""
    found = requested_artifact(request, run_id, step_id, artifact_id, path=request.GET.get("path", ""))
    artifact = found.artifact
    part = ranges.asked_part(request.headers.get("Range", ""))
    with ExitStack() as opened:
        stream = opened.enter_context(found.open(part=part))
        kept = opened.pop_all()
    if part is not None and stream.accepts_ranges and part.start >= (stream.size_bytes or 0):
        kept.close()
        return ranges.unsatisfiable(stream.size_bytes)
    first = next(stream.chunks, b"")
    name = previews.download_name(artifact, is_directory=stream.is_directory)
    if stream.start == 0 and not first.startswith(previews.GZIP_MAGIC):
        # Kubeflow's gateway unpacks the .tgz objects of 1.x runs while it serves them.
        name = previews.unpacked_name(name)
    chunks = itertools.chain([first], stream.chunks)
    response = StreamingHttpResponse(
        chunks,
        content_type="application/gzip" if stream.is_directory else previews.media_type(artifact),
    )
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    ranges.describe(response, stream, part)
    response._resource_closers.append(kept.close)  # type: ignore[attr-defined]  # noqa: SLF001  # as FileResponse does
    return sandboxed_response(response)
