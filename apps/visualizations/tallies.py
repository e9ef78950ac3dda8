"""What is counted of renders, by whoever writes their end: in the queue's server, since workers come and go."""

from __future__ import annotations

from typing import Final

from apps.observing.tallies import Pipeline, TallyCounter, TallyHistogram
from apps.visualizations.models import Render

RENDERS: Final = TallyCounter(
    name="vizportal_renders_finished",
    help="Renders that ended, by the state they ended in.",
    labels=("type", "environment", "state"),
)
DURATION: Final = TallyHistogram(
    name="vizportal_render_seconds",
    help="Seconds from a render's start to its end.",
    labels=("type", "environment"),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
QUEUE_WAIT: Final = TallyHistogram(
    name="vizportal_render_queue_wait_seconds",
    help="Seconds that renders which have ended had waited for a worker.",
    labels=("environment",),
    buckets=(0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)
ALL: Final = (RENDERS, DURATION, QUEUE_WAIT)


def render_count(pipe: Pipeline, render: Render) -> None:
    """Puts the end of a render into a pipeline; one that never started has no duration and no wait."""
    kind, environment = render.visualization.type_key, render.environment
    RENDERS.add(pipe, kind, environment, str(render.state))
    if render.started_at is None or render.finished_at is None:
        return
    DURATION.observe(pipe, (render.finished_at - render.started_at).total_seconds(), kind, environment)
    QUEUE_WAIT.observe(pipe, (render.started_at - render.queued_at).total_seconds(), environment)
