"""Sound and video of an artifact, for the player in its preview."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.runs import previews
from apps.runs.gateway import ArtifactStream, Part
from apps.runs.views import ranges
from apps.runs.views.artifact_lookup import RequestedArtifact, requested_artifact
from apps.runs.views.errors import handle_kubeflow_errors
from apps.runs.views.sandboxed_response import sandboxed_response

# A store without ranges sends the whole each time; up to this size, the bytes before a part are read and dropped.
LARGEST_SKIPPED_BYTES: Final = 64 * 1024**2
_PLAYERS: Final = frozenset({"audio", "video"})


@require_safe
@handle_kubeflow_errors
def artifact_media(request: HttpRequest, run_id: str, step_id: str, artifact_id: str) -> HttpResponseBase:
    """Answers with sound or video, or a part of it, with a media type that its first bytes prove."""
    path = request.GET.get("path", "")
    found = requested_artifact(request, run_id, step_id, artifact_id, path=path)
    if request.headers.get("Sec-Fetch-Dest", "audio") not in _PLAYERS:
        return redirect("runs:artifact_preview", run_id=run_id, step_id=step_id, artifact_id=artifact_id)
    part = ranges.asked_part(request.headers.get("Range", ""))
    with ExitStack() as opened:
        stream = opened.enter_context(found.open(part=part))
        chunks, head = _part_and_head(found, stream, part)
        media_type = previews.played_type(head)
        if not media_type:
            raise Http404("Its first bytes are not those of audio or video that a browser can play. Download it.")
        if part is not None and part.start and part.start >= (stream.size_bytes or 0):
            return ranges.unsatisfiable(stream.size_bytes)
        response = StreamingHttpResponse(chunks, content_type=media_type)
        ranges.describe(response, stream, part, is_cut_here=_is_cut_here(stream))
        response._resource_closers.append(opened.pop_all().close)  # type: ignore[attr-defined]  # noqa: SLF001
    return sandboxed_response(response)


def _is_cut_here(stream: ArtifactStream) -> bool:
    """Whether the portal cuts parts out of the whole, which is short enough for that."""
    return not stream.accepts_ranges and 0 < (stream.size_bytes or 0) <= LARGEST_SKIPPED_BYTES


def _part_and_head(
    found: RequestedArtifact, stream: ArtifactStream, part: Part | None
) -> tuple[Iterator[bytes], bytes]:
    """Returns the bytes of the answer, and the first bytes of the whole file."""
    if stream.accepts_ranges and part is not None and part.start:
        with found.open(part=Part(length=previews.PEEK_BYTES)) as beginning:
            return stream.chunks, beginning.read(previews.PEEK_BYTES)
    source = previews.Source(stream.chunks)
    head = source.peek(previews.PEEK_BYTES)
    whole = source.chunks(stream.size_bytes or previews.UNLIMITED)
    return (ranges.cut(whole, part) if part is not None and _is_cut_here(stream) else whole), head
