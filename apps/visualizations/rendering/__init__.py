"""Turning code and data into HTML: a notebook, run in a fresh kernel of its environment, exported and capped.

No Django and no RQ in here. `render` is the one door; `environments` tells which interpreters there are.
"""

from apps.visualizations.rendering import environments
from apps.visualizations.rendering.entities import Progress, RenderOrder, RenderOutcome
from apps.visualizations.rendering.render import render

__all__ = ["Progress", "RenderOrder", "RenderOutcome", "environments", "render"]
