"""The inputs of a render before its code begins: source, packages and limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.conf import settings
from renderer import EnvironmentInfo, RenderJob, RenderLimits, overlays
from vizkit.types import arguments

from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError, RenderEndedError
from apps.visualizations.models import Render
from apps.visualizations.services.compared import MOST_RESULTS, is_results, results_stage
from apps.visualizations.services.credentials import render_gateway
from apps.visualizations.services.lease import Lease
from apps.visualizations.sources import Download, FetchedSource, SourceCache, SourceSpec, source_stage
from apps.visualizations.specs import spec_columns, spec_read
from apps.visualizations.states import Reason


class StoppedError(RenderEndedError):
    """The render was cancelled, or its lease lost, before its code began."""

    code = Reason.CANCELLED


def overlay_install(render: Render, lease: Lease, environment: EnvironmentInfo) -> Path | None:
    """Returns the folder of the packages that the code requests, installing them if needed; None if it requests none.

    Raises:
        RenderEndedError: they are not allowed or cannot be installed.
        StoppedError: the render was cancelled meanwhile.
    """
    if not render.dependencies:
        return None
    if not settings.VIZPORTAL_ALLOW_DEPENDENCIES:
        raise RenderEndedError(
            "This server installs no packages (VIZPORTAL_ALLOW_DEPENDENCIES).", code=Reason.DEPENDENCIES_REFUSED
        )

    def on_wait() -> None:
        lease.beat()
        if lease.is_cancelled():
            raise StoppedError("Cancelled while its packages were installed.")

    try:
        found = overlays.overlay_get(
            environment,
            render.dependencies,
            root=Path(settings.VIZPORTAL_DATA_DIR) / "overlays",
            index_url=settings.VIZPORTAL_PACKAGE_INDEX,
            on_wait=on_wait,
        )
    except overlays.OverlayError as error:
        raise RenderEndedError(str(error), code=Reason.DEPENDENCIES_FAILED) from error
    return found.path


def type_renew(render: Render) -> None:
    """Updates a claimed render to its type's current code, if the type was upgraded after the request.

    The current toolkit runs it, and older code of a type may not fit that. Arguments are validated again so that new
    ones get their defaults; if they no longer fit, the render stays as requested.
    """
    if render.is_custom or render.kernel:
        return
    try:
        kind = selectors.type_get(render.visualization.type_key)
        values = arguments.clean(kind.schema, render.arguments)
    except (InvalidRequestError, arguments.ArgumentsError):
        return
    if kind.version == render.type_version or kind.environment != render.environment:
        return
    spec = replace(spec_read(render), code=kind.code, type_version=kind.version, arguments=values)
    columns = spec_columns(spec)
    renewed = {name: columns[name] for name in ("code", "type_version", "arguments", "receipt")}
    Render.objects.filter(id=render.id, attempt=render.attempt).update(**renewed)
    for name, value in renewed.items():
        setattr(render, name, value)


def job_of(render: Render, fetched: FetchedSource | None, packages: Path | None) -> RenderJob:
    """Returns the job for the renderer, with this server's limits."""
    return RenderJob(
        spec=spec_read(render),
        title=render.visualization.title,
        source=fetched.source if fetched else "",
        packages=packages,
        needs_sandbox=_needs_sandbox(render) and not settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
        limits=limits_of_server(),
    )


def _needs_sandbox(render: Render) -> bool:
    """Whether the code may be a person's own: code that differs from the type's file is of unknown origin."""
    if render.is_custom:
        return True
    try:
        kind = selectors.type_get(render.visualization.type_key)
    except InvalidRequestError:
        return True
    return kind.needs_sandbox or kind.code != render.code


def limits_of_server() -> RenderLimits:
    """Returns the limits from the settings."""
    return RenderLimits(
        max_html_bytes=settings.VIZPORTAL_MAX_HTML_BYTES,
        max_memory_bytes=settings.VIZPORTAL_MAX_RENDER_MEMORY_BYTES,
    )


def source_cache() -> SourceCache:
    """Returns this machine's source cache. It shares the work directory's disk: sources are linked, not copied."""
    return SourceCache(Path(settings.VIZPORTAL_DATA_DIR) / "sources", settings.VIZPORTAL_SOURCE_CACHE_BYTES)


def source_fetch(render: Render, lease: Lease, directory: Path) -> FetchedSource | None:
    """Fetches the source into `directory`; None if the render has none.

    Raises:
        SourceError: it cannot be fetched.
        StoppedError: the render was cancelled meanwhile.
    """
    if not render.source_uri and not render.source_metadata:
        return None

    def on_chunk() -> None:
        lease.beat()
        if lease.is_cancelled():
            raise StoppedError("Cancelled while the source was fetched.")

    directory.mkdir()
    visualization = render.visualization
    download = Download(directory=directory, max_bytes=settings.VIZPORTAL_MAX_SOURCE_BYTES, on_chunk=on_chunk)
    if is_results(render.source_uri):
        # One file per result, plus one that describes them.
        return results_stage(render, replace(download, max_files=MOST_RESULTS + 1))
    return source_stage(
        SourceSpec(
            uri=render.source_uri,
            artifact_uri=visualization.artifact_uri,
            metadata=render.source_metadata,
            name=visualization.artifact_name,
        ),
        download,
        gateway=lambda: render_gateway(render),
        cache=source_cache(),
        allowed=settings.VIZPORTAL_SOURCE_ALLOW,
    )
