"""The graph of a run or pipeline, and its timeline, as drawings that templates render as SVG."""

from apps.runs.graph.drawing import draw
from apps.runs.graph.plan import spec_steps
from apps.runs.graph.shapes import Box, Drawing, Line
from apps.runs.graph.summary import COMPOUND, summarize
from apps.runs.graph.timeline import Timeline, build_timeline
from apps.runs.graph.tree import MOST_DRAWN, MOST_OPEN, MOST_STEPS, Tree
from apps.runs.graph.view_state import GraphViewState

__all__ = [
    "COMPOUND",
    "MOST_DRAWN",
    "MOST_OPEN",
    "MOST_STEPS",
    "Box",
    "Drawing",
    "GraphViewState",
    "Line",
    "Timeline",
    "Tree",
    "build_timeline",
    "draw",
    "spec_steps",
    "summarize",
]
