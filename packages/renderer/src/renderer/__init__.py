"""Runs notebooks and Python code in warm, sandboxed processes, and exports their pages as HTML.

`render` runs one `RenderJob` (a `RenderSpec` with its inputs and limits) on a `RenderHost`, a process that has an
environment's libraries imported and forks a child for each render. `Environments` finds and builds the environments.
`run_confined` runs a single program in the same sandbox. The modules `renderer.assets`, `renderer.environments`,
`renderer.overlays` and `renderer.clearing` are public as well; everything else is internal.
"""

from renderer.confined import ConfinedLimits, ConfinedTimeoutError, run_confined
from renderer.entities import FailureReason, KeyFigure, Progress, RenderOutcome
from renderer.environments import EnvironmentInfo, Environments, EnvironmentUnusableError
from renderer.host_spec import HostLostError, HostSpec, HostStartError, HostStuckError
from renderer.hosts import RenderHost, hosts_end
from renderer.memory import HostMemory, host_memory
from renderer.render import render
from renderer.spec import RenderJob, RenderLimits, RenderSpec, option_names

__all__ = [
    "ConfinedLimits",
    "ConfinedTimeoutError",
    "EnvironmentInfo",
    "EnvironmentUnusableError",
    "Environments",
    "FailureReason",
    "HostLostError",
    "HostMemory",
    "HostSpec",
    "HostStartError",
    "HostStuckError",
    "KeyFigure",
    "Progress",
    "RenderHost",
    "RenderJob",
    "RenderLimits",
    "RenderOutcome",
    "RenderSpec",
    "host_memory",
    "hosts_end",
    "option_names",
    "render",
    "run_confined",
]
