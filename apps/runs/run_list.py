"""The context of the run list's template: rows, filters, metric columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from apps.accounts.caller import Caller
from apps.runs import selectors
from apps.runs.entities import Page, Run
from apps.runs.gateway import Gateway
from apps.runs.run_filters import RunFilterForm
from apps.ui.formats import told_apart

_METRIC_COLUMNS: Final = 3
# As packages/localkfp/src/localkfp/samples names its runs.
_SAMPLE: Final = "(sample run)"
_MOST_METRIC_COLUMNS: Final = 8
CHOSEN: Final = "chosen_runs"
"""Session key of the runs of a refused action, which stay selected the next time the list is shown."""
MOST_READ: Final = 20
"""Runs whose metrics are read from lineage at once when the list first shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunListItem:
    """One run in the list.

    Attributes:
        is_chosen: whether it was selected for an action that was refused.
        metrics: (text, value) for each metric column, None if the run does not have that metric.
    """

    run: Run
    tags: Sequence[str]
    metrics: Sequence[tuple[str, float | None]]
    is_chosen: bool = False


def run_list_context(
    request: HttpRequest, caller: Caller, gateway: Gateway, page: Page[Run], form: RunFilterForm
) -> dict[str, Any]:
    """Returns the run list's context. Asks Kubeflow once for names, and the database a fixed number of times."""
    pipelines, experiments = selectors.pipeline_choices(gateway), selectors.experiment_choices(gateway)
    shown = selectors.named(page.items, pipelines)
    known = selectors.metrics_kept(caller, gateway, shown)
    tags = selectors.tags_of(caller, gateway, shown)
    columns = metric_columns(known.values(), form.values["metrics"])
    chosen = set(request.session.pop(CHOSEN, ()) if CHOSEN in request.session else ())
    tag_choices = selectors.tag_choices(caller, gateway)
    values = [[known.get(run.id, {}).get(name) for run in shown] for name in columns]
    # Formatted by column, so that runs whose values differ in the fifth digit are distinguishable.
    told = list(zip(*map(told_apart, values), strict=True)) or [()] * len(shown)
    form.offer(pipeline_id=_names(pipelines), experiment_id=_names(experiments), tag={tag: tag for tag in tag_choices})
    return {
        "page": page,
        "rows": [
            RunListItem(
                run=run,
                tags=tags.get(run.id, ()),
                metrics=metrics,
                is_chosen=run.id in chosen,
            )
            for run, metrics in zip(shown, told, strict=True)
        ],
        "form": form,
        "filters": form.values,
        "experiment_names": _names(experiments),
        "tag_choices": tag_choices,
        "chips": form.chips(),
        "metric_columns": columns,
        "has_plugins": any(run.plugins for run in shown),
        "metric_names": sorted({name for values in known.values() for name in values}),
        "metrics_unread": _unread(shown, known) if "unread" not in request.GET else [],
        "saved_filters": selectors.saved_filters(caller, gateway.endpoint.key),
        "kept_query": form.saved_query(),
        "live_cells": _live_cells(shown),
        "are_samples_running": _are_samples_running(shown),
    }


def _names(items: Iterable[Any]) -> dict[str, str]:
    return {item.id: item.name for item in items}


def metric_columns(values: Iterable[Mapping[str, float]], wanted: Sequence[str]) -> list[str]:
    """Returns the metrics to show as columns: the requested ones, else those that most runs have."""
    if wanted:
        return list(wanted[:_MOST_METRIC_COLUMNS])
    counts = Counter(name for metrics in values for name in metrics)
    return sorted(name for name, _ in counts.most_common(_METRIC_COLUMNS))


def _unread(runs: Iterable[Run], known: Mapping[str, Any]) -> list[str]:
    return [run.id for run in runs if run.id and run.state.is_final and run.id not in known][:MOST_READ]


def _are_samples_running(runs: Sequence[Run]) -> bool:
    """Whether sample runs of the embedded Kubeflow are still active, which a new user sees first."""
    return settings.KFP_IS_EMBEDDED and any(run.state.is_active and run.name.endswith(_SAMPLE) for run in runs)


def _live_cells(runs: Sequence[Run]) -> str:
    """Returns a list of selectors of the cells to keep up to date; "" once every listed run has ended."""
    active = [run.id for run in runs if run.id and run.state.is_active]
    return ",".join(f"#state-{run_id},#took-{run_id}" for run_id in active)
