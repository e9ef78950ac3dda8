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
"""As many results as one comparison has."""
# An address that nobody can name: `address_parse` refuses its scheme. Only `comparison_create` writes it.
_SCHEME: Final = "results:"
_FACTS_FILE: Final = "results.json"


def results_uri(render_ids: Iterable[UUID]) -> str:
    """Returns the source of a comparison of these renders."""
    return _SCHEME + ",".join(map(str, render_ids))


def is_results(uri: str) -> bool:
    """Whether a source is saved results."""
    return uri.startswith(_SCHEME)


def results_ids(uri: str) -> list[UUID]:
    """Returns the renders that a source names, in their order."""
    return [UUID(each) for each in uri.removeprefix(_SCHEME).split(",")]


def results_stage(render: Render, download: Download) -> FetchedSource:
    """Copies what a comparison reads: each result's executed notebook, and a file with labels and key figures.

    Nothing of a notebook is parsed here.

    Raises:
        SourceError: a result was deleted, lies in another namespace, or cannot be read.
    """
    ids = results_ids(render.source_uri)
    place = {"endpoint_key": render.visualization.endpoint_key, "namespace": render.visualization.namespace}
    # Results of one place only, whatever the row says: whoever may read the comparison may read each of them.
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
    """Returns what each result is called: its run in a series, else its title and run; and its number if needed."""
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
    """Copies a notebook; returns its name, "" where the render kept none."""
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
