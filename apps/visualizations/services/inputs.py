"""What a render is given before its code begins: its source, its packages, its order."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from renderer import EnvironmentInfo, RenderOrder, overlays

from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.models import Render
from apps.visualizations.services.credentials import render_gateway
from apps.visualizations.services.hosts import source_cache
from apps.visualizations.services.lease import Lease
from apps.visualizations.sources import FetchedSource, Intake, Wanted, source_stage


class StoppedError(VisualizationsError):
    """The render was cancelled, or lost, before its code began."""

    code = "cancelled"


def overlay_install(render: Render, lease: Lease, environment: EnvironmentInfo) -> Path | None:
    """Returns the folder of the packages that the code asks for, installed where it is not yet; None for none.

    Raises:
        VisualizationsError: they are not allowed or cannot be installed, or the render was cancelled (StoppedError).
    """
    if not render.dependencies:
        return None
    if not settings.VIZPORTAL_ALLOW_DEPENDENCIES:
        raise VisualizationsError(
            "This server installs no packages (VIZPORTAL_ALLOW_DEPENDENCIES).", code="dependencies_refused"
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
        raise VisualizationsError(str(error), code="dependencies_failed") from error
    return found.path


def order_of(render: Render, fetched: FetchedSource | None, packages: Path | None) -> RenderOrder:
    """Returns what the renderer is given, with the limits of this server."""
    return RenderOrder(
        code=render.code,
        variables=render.arguments,
        source=fetched.source if fetched else "",
        source_uri=render.source_uri,
        # A predefined type's code is the same in all its results: it stands on the page's Code tab.
        shows_code=render.is_custom,
        kernel=render.kernel,
        packages=packages,
        sample_rows=render.sample_rows,
        title=render.visualization.title,
        timeout_s=render.timeout_s,
        max_html_bytes=settings.VIZPORTAL_MAX_HTML_BYTES,
        max_memory_bytes=settings.VIZPORTAL_MAX_RENDER_MEMORY_BYTES,
        needs_sandbox=render.is_custom and not settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
    )


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
    return source_stage(
        Wanted(
            uri=render.source_uri,
            is_artifact=bool(render.source_uri) and render.source_uri == visualization.artifact_uri,
            metadata=render.source_metadata,
            name=visualization.artifact_name,
        ),
        Intake(directory=directory, max_bytes=settings.VIZPORTAL_MAX_SOURCE_BYTES, on_chunk=on_chunk),
        gateway=lambda: render_gateway(render),
        cache=source_cache(),
        allowed=settings.VIZPORTAL_SOURCE_ALLOW,
    )
