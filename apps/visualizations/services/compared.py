"""Saved results as a source: the files that a comparison reads (vizkit/saved_results.py)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from apps.stores.streamed import StoreAwayError
from apps.visualizations.exceptions import SourceError
from apps.visualizations.models import Render
from apps.visualizations.services.results import result_open
from apps.visualizations.services.stored import DamagedError
from apps.visualizations.sources import Download, FetchedSource
from apps.visualizations.states import Reason, RenderState

MOST_RESULTS: Final = 200
"""Maximum number of results in a comparison."""
# Users cannot submit this address: `address_parse` refuses its scheme. Only `comparison_create` writes it.
_SCHEME: Final = "results:"
_FACTS_FILE: Final = "results.json"


def results_uri(render_ids: Iterable[UUID]) -> str:
    """Returns the source of a comparison of these renders."""
    return _SCHEME + ",".join(map(str, render_ids))


def is_results(uri: str) -> bool:
    """Whether a source consists of saved results."""
    return uri.startswith(_SCHEME)


def results_ids(uri: str) -> list[UUID]:
    """Returns the ids of the renders in a source, in order."""
    return [UUID(each) for each in uri.removeprefix(_SCHEME).split(",")]


def results_stage(render: Render, download: Download) -> FetchedSource:
    """Writes the files that a comparison reads: each result's executed notebook, and one with labels and key figures.

    Notebooks are copied without being parsed.

    Raises:
        SourceError: a result was deleted, is in another namespace, or cannot be read.
    """
    ids = results_ids(render.source_uri)
    place = {"endpoint_key": render.visualization.endpoint_key, "namespace": render.visualization.namespace}
    # Only results of the comparison's own endpoint and namespace, whatever the row says: everybody who may read the
    # comparison may then read each of them.
    wanted = {f"visualization__{name}": value for name, value in place.items()}
    rows = Render.objects.filter(id__in=ids, visualization__deleted_at=None, state=RenderState.SUCCEEDED, **wanted)
    by_id = rows.select_related("visualization").prefetch_related("figures").in_bulk()
    gone = [str(number) for number, each in enumerate(ids, 1) if each not in by_id]
    if gone:
        raise SourceError(
            f"Of the {len(ids)} results that were compared, number {', '.join(gone)} is gone. "
            "Choose the others in the gallery and compare them again.",
            code=Reason.SOURCE_MISSING,
        )
    renders = [by_id[each] for each in ids]
    facts = [
        {"label": label, "file": _notebook_save(each, number, download), "figures": _figures(each)}
        for number, (each, label) in enumerate(zip(renders, labels(renders), strict=True), 1)
    ]
    download.save(_FACTS_FILE, [json.dumps(facts, ensure_ascii=False).encode()])
    return download.done(str(download.directory))


def labels(renders: Sequence[Render]) -> list[str]:
    """Returns a label for each result: in a series its run, else title and run; adds the render number if ambiguous."""
    recipes = {each.visualization.recipe_id for each in renders}
    names = []
    for each in renders:
        title, run = each.visualization.title, each.visualization.run_name
        is_series = len(recipes) == 1 and None not in recipes and run
        names.append(run if is_series else title if not run or run in title else f"{title}, {run}")
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{name}, render {each.number}"
        for name, each in zip(names, renders, strict=True)
    ]


def _figures(render: Render) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "value": each.value, "unit": each.unit, "better": each.better}
        for each in render.figures.all()
    ]


def _notebook_save(render: Render, number: int, download: Download) -> str:
    """Copies a notebook; returns its file name, or "" if the render kept none."""
    name = f"{number:03}.ipynb"
    try:
        download.save(name, result_open(render, "ipynb"))
    except DamagedError as error:
        raise SourceError(
            f"Result number {number} is not what was saved. Render it again.", code=Reason.SOURCE_MISSING
        ) from error
    except FileNotFoundError:
        return ""
    except StoreAwayError as error:
        raise SourceError(f"The store of results does not answer: {error}", code=Reason.SOURCE_UNREACHABLE) from error
    return name
