"""What a render is given before its code begins: its source, its packages and its limits."""

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
    """The render was cancelled, or lost, before its code began."""

    code = Reason.CANCELLED


def overlay_install(render: Render, lease: Lease, environment: EnvironmentInfo) -> Path | None:
    """Returns the folder of the packages that the code asks for, installed where it is not yet; None for none.

    Raises:
        RenderEndedError: they are not allowed or cannot be installed, or the render was cancelled (StoppedError).
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
    """Gives a claimed render the code that its type has now, where the type was upgraded since it was requested.

    The toolkit that runs it is the present one, which older code of a type may not fit. Arguments are checked again,
    so that new ones get their defaults; where they no longer fit, the render stays as it was requested.
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
    """Returns what the renderer is given, with the limits of this server."""
    return RenderJob(
        spec=spec_read(render),
        title=render.visualization.title,
        source=fetched.source if fetched else "",
        packages=packages,
        needs_sandbox=_needs_sandbox(render) and not settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
        limits=limits_of_server(),
    )


def _needs_sandbox(render: Render) -> bool:
    """Whether its code may be a person's: nobody knows whose code is that is in no file now."""
    if render.is_custom:
        return True
    try:
        kind = selectors.type_get(render.visualization.type_key)
    except InvalidRequestError:
        return True
    return kind.needs_sandbox or kind.code != render.code


def limits_of_server() -> RenderLimits:
    """Returns the limits that the settings state."""
    return RenderLimits(
        max_html_bytes=settings.VIZPORTAL_MAX_HTML_BYTES,
        max_memory_bytes=settings.VIZPORTAL_MAX_RENDER_MEMORY_BYTES,
    )


def source_cache() -> SourceCache:
    """Returns where this machine keeps sources; on the same disk, so that a render gets a link and no copy."""
    return SourceCache(Path(settings.VIZPORTAL_DATA_DIR) / "sources", settings.VIZPORTAL_SOURCE_CACHE_BYTES)


def source_fetch(render: Render, lease: Lease, directory: Path) -> FetchedSource | None:
    """Brings the source into `directory`; None where the render has none.

    Raises:
        SourceError: it cannot be brought.
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
        # A file for each result, and one that says what they are.
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
