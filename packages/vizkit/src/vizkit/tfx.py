"""Draws what TFDV and TFMA show in a notebook, because their own widgets load from a CDN and would stay blank here.

A render host calls the `configure_` functions, each once its library is imported (display_defaults.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from os import PathLike, fspath
from typing import Any

from .evaluation import Evaluation, read_evaluations
from .evaluation_charts import draw_plots
from .evaluation_draw import draw_evaluations
from .evaluation_loaded import Loaded
from .evaluation_plots import plot_of


def configure_tfdv() -> None:
    """Makes `tfdv.visualize_statistics` and `tfdv.get_statistics_html` use this toolkit's drawing."""
    import tensorflow_data_validation as tfdv
    from tensorflow_data_validation.utils import display_util

    from .statistics.draw import draw_statistics
    from .statistics.read import datasets_of

    def get_statistics_html(
        lhs_statistics: Any,
        rhs_statistics: Any = None,
        lhs_name: str = "lhs_statistics",
        rhs_name: str = "rhs_statistics",
        allowlist_features: Any = None,
        denylist_features: Any = None,
    ) -> str:
        """Like TFDV's: returns the markup of one data set's statistics, or of two next to each other."""
        # TFDV's own function determines names, slices and features.
        combined = display_util._get_combined_statistics(  # noqa: SLF001
            lhs_statistics, rhs_statistics, lhs_name, rhs_name, allowlist_features, denylist_features
        )
        return draw_statistics(datasets_of(combined))

    # Its deprecation warning is irrelevant to the readers of a result.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    display_util.get_statistics_html = get_statistics_html
    tfdv.get_statistics_html = get_statistics_html


def configure_tfma() -> None:
    """Makes the functions of TFMA's `view` use this toolkit's drawing."""
    from tensorflow_model_analysis import view
    from tensorflow_model_analysis.view import widget_view

    for function in (render_slicing_metrics, render_slicing_attributions, render_time_series, render_plot):
        for module in (view, widget_view):
            if hasattr(module, function.__name__):
                setattr(module, function.__name__, function)


def configure_beam() -> None:
    """Lets Beam finish its files in a render: a `multiprocessing` pool needs a semaphore, and a render has none."""
    from apache_beam import pipeline  # type: ignore[import-not-found]
    from apache_beam.internal import util  # type: ignore[import-not-found]
    from apache_beam.utils import interactive_utils  # type: ignore[import-not-found]

    def run_using_threadpool(fn_to_execute: Callable[[Any], Any], inputs: Iterable[Any], pool_size: int) -> list[Any]:
        """Like Beam's, with threads only."""
        from concurrent.futures import ThreadPoolExecutor

        given = list(inputs)
        if not given:
            return []
        with ThreadPoolExecutor(min(pool_size, len(given))) as pool:
            return list(pool.map(fn_to_execute, given))

    util.run_using_threadpool = run_using_threadpool
    # In a notebook it would load jQuery from a CDN, and advertise drawings of pipelines that need more packages.
    for module in (interactive_utils, pipeline):
        module.is_in_ipython = lambda: False


# --- TFMA's functions -------------------------------------------------------------------------------------------


class Shown:
    """Replaces a TFMA widget; notebooks display it in the same way."""

    def __init__(self, markup: str) -> None:
        self._markup = markup

    def _repr_html_(self) -> str:
        return self._markup


def render_slicing_metrics(
    result: Any,
    slicing_column: str | None = None,
    slicing_spec: Any = None,
    weighted_example_column: str | None = None,  # noqa: ARG001  (TFMA's signature)
    event_handlers: Any = None,  # noqa: ARG001
) -> Shown:
    """Like TFMA's: metrics of the slices by a column or spec, or the overall ones; also takes an evaluation's path."""
    if isinstance(result, str | PathLike):
        return Shown(draw_evaluations(read_evaluations(fspath(result)), slicing_column=slicing_column or ""))
    return _show({"metrics": result.slicing_metrics}, slicing_column, slicing_spec)


def render_slicing_attributions(
    result: Any,
    slicing_column: str | None = None,
    slicing_spec: Any = None,
    metric_name: str | None = None,
    weighted_example_column: str | None = None,  # noqa: ARG001  (TFMA's signature)
    event_handlers: Any = None,  # noqa: ARG001
) -> Shown:
    """Like TFMA's: the contribution of each feature to a metric, by slice."""
    found = [(keys, _of_metric(by_output, metric_name)) for keys, by_output in result.attributions]
    return _show({"attributions": found}, slicing_column, slicing_spec)


def _of_metric(by_output: Mapping[str, Any], metric_name: str | None) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for output, by_key in by_output.items():
        for sub_key, metrics in by_key.items():
            if metric_name is None and len(metrics) != 1:
                raise ValueError(f"metric_name must be one of the following: {metrics.keys()}")
            if metric_name is not None and metric_name not in metrics:
                raise ValueError(f"metric_name={metric_name} not found in {metrics.keys()}")
            name = metric_name if metric_name is not None else next(iter(metrics))
            chosen.setdefault(output, {})[sub_key] = metrics[name]
    return chosen


def render_time_series(results: Any, slicing_spec: Any = None, display_full_path: bool = False) -> Shown:  # noqa: FBT001, FBT002
    """Like TFMA's: one slice's metrics in several evaluations, next to each other."""
    found = {}
    for at, each in enumerate(results.get_results(), 1):
        path = str(each.model_location or "")
        name = path if display_full_path else path.rstrip("/").rpartition("/")[2]
        found[f"{at}: {name}" if name else str(at)] = each.slicing_metrics
    return _show(found, None, slicing_spec)


def render_plot(
    result: Any,
    slicing_spec: Any = None,
    output_name: str | None = None,
    class_id: int | None = None,
    top_k: int | None = None,
    k: int | None = None,
    label: str | None = None,  # noqa: ARG001  (TFMA's signature)
) -> Shown:
    """Like TFMA's: the curves and the calibration of the slice that a spec names, or of all examples."""
    from google.protobuf import json_format
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2

    spec = _single(slicing_spec)
    asked = {"classId": class_id, "topK": top_k, "k": k}
    wanted = [
        f"{name}Id:{value}" if name == "class" else f"{name}:{value}"
        for name, value in asked.items()
        if value is not None
    ]
    found = []
    for keys, by_output in result.plots:
        for output, by_key in by_output.items() if spec.is_slice_applicable(keys) else ():
            for sub_key, values in by_key.items() if output_name in {None, output} else ():
                if wanted and not all(each in str(sub_key) for each in wanted):
                    continue
                data = json_format.ParseDict(values, metrics_for_slice_pb2.PlotData(), ignore_unknown_fields=True)
                name = ", ".join(filter(None, (str(output or ""), str(sub_key or ""))))
                pairs = tuple((str(column), str(value)) for column, value in keys)
                found.append(plot_of(data, model="", keys=pairs, name=name))
    if not found:
        raise ValueError(f"No plots found for {spec}")
    columns = {column for each in found for column, _ in each.keys}
    markup, _ = draw_plots(found, [""], slicing_column=",".join(columns))
    return Shown(markup)


def _single(spec: Any) -> Any:
    from tensorflow_model_analysis.proto import config_pb2
    from tensorflow_model_analysis.slicer import slicer_lib

    if isinstance(spec, config_pb2.SlicingSpec):
        return slicer_lib.SingleSliceSpec(spec=spec)
    return spec or slicer_lib.SingleSliceSpec()


def _show(found: Mapping[str, Any], column: str | None, spec: Any) -> Shown:
    from tensorflow_model_analysis.slicer import slicer_lib

    spec = slicer_lib.SingleSliceSpec(columns=[column]) if column else _single(spec)
    evaluations = []
    for name, metrics in found.items():
        loaded = Loaded()
        kept = [(keys, values) for keys, values in metrics if not keys or spec.is_slice_applicable(keys)]
        if not any(spec.is_slice_applicable(keys) for keys, _ in kept):
            raise ValueError(f"No slices found for {column or spec}")
        slices = loaded.slices(kept)
        evaluations.append(Evaluation(name=name, slices=slices, unshown=tuple(loaded.unshown)))
    return Shown(draw_evaluations(evaluations))
