"""Turning code and data into HTML: a notebook, run in a fresh kernel of its environment, exported and capped.

No Django and no RQ in here. `render` is the one door, `RenderHost` what it leads to; `environments` tells which
interpreters there are.
"""

from apps.visualizations.rendering import environments
from apps.visualizations.rendering.entities import FailureReason, Progress, RenderOrder, RenderOutcome
from apps.visualizations.rendering.host_spec import HostLostError, HostSpec, HostStartError, HostStuckError
from apps.visualizations.rendering.hosts import RenderHost, hosts_end
from apps.visualizations.rendering.render import render

__all__ = [
    "FailureReason",
    "HostLostError",
    "HostSpec",
    "HostStartError",
    "HostStuckError",
    "Progress",
    "RenderHost",
    "RenderOrder",
    "RenderOutcome",
    "environments",
    "hosts_end",
    "render",
]
