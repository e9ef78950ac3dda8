"""Makes Kubeflow's types for TFDV and TFMA show something, although their widgets load from the internet.

Used by the prelude of files without a header that import the two libraries; see `apps/.../catalogue/headerless.py`.
"""

from __future__ import annotations

import base64
import re
from os import PathLike, fspath
from typing import Any, Final

_FACETS: Final = re.compile(r"<facets-overview\b[^<>]*\bproto-input=[\\'\"]*([A-Za-z0-9+/=]+)")


def draw_facets() -> None:
    """Makes HTML that would load Facets show its statistics with this toolkit's drawing."""
    import IPython.display

    original = IPython.display.HTML
    if getattr(original, "_draws_facets", False):
        return

    class HTML(original):  # type: ignore[misc, valid-type]
        _draws_facets = True

        def __init__(self, data: Any = None, *more: Any, **options: Any) -> None:
            super().__init__(_drawn(data) or data, *more, **options)

    IPython.display.HTML = HTML


def _drawn(data: Any) -> str:
    found = _FACETS.search(data) if isinstance(data, str) else None
    if not found:
        return ""
    from tensorflow_metadata.proto.v0 import statistics_pb2

    from vizkit.statistics.draw import draw_statistics
    from vizkit.statistics.read import datasets_of

    message = statistics_pb2.DatasetFeatureStatisticsList.FromString(base64.b64decode(found[1]))
    return str(draw_statistics(datasets_of(message)))


def accept_evaluation_folders() -> None:
    """Makes TFMA's `render_slicing_metrics` accept an evaluation's folder, which Kubeflow's type passes to it."""
    import tensorflow_model_analysis as tfma

    original = tfma.view.render_slicing_metrics
    if getattr(original, "accepts_folders", False):
        return

    def render_slicing_metrics(result: Any, slicing_column: str | None = None, **more: Any) -> Any:
        if not isinstance(result, str | PathLike):
            return original(result, slicing_column=slicing_column, **more)
        from vizkit import html
        from vizkit.evaluation import read_evaluations
        from vizkit.evaluation_draw import draw_evaluations

        html.show(draw_evaluations(read_evaluations(fspath(result)), slicing_column=slicing_column or ""))
        return None

    render_slicing_metrics.accepts_folders = True  # type: ignore[attr-defined]
    tfma.view.render_slicing_metrics = render_slicing_metrics
