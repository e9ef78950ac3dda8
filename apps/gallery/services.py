"""Favourites, and actions on several visualizations at once."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any, Final

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.gallery.models import Favourite
from apps.runs.exceptions import RunsError
from apps.visualizations import provenance
from apps.visualizations.exceptions import NotAllowedError, VisualizationsError
from apps.visualizations.models import Visualization
from apps.visualizations.services import cancellation, titles
from apps.visualizations.services.again import render_again
from apps.visualizations.services.assets import inline_assets
from apps.visualizations.services.results import result_open

MOST_CHOSEN: Final = 200
_IN_MEMORY_BYTES: Final = 4 * 1024**2
_MOST_EXPORT_BYTES: Final = 512 * 1024**2
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)
_COLUMNS: Final = (
    *("id", "title", "type_key", "pipeline_name", "run_id", "run_name", "step_name", "artifact_name", "created_at"),
)


def favourite_set(caller: Caller, visualization: Visualization, *, is_favourite: bool) -> None:
    """Adds a visualization to the caller's favourites, or removes it.

    Args:
        visualization: one that the caller may see.

    Raises:
        NotAllowedError: the caller is not a person.
    """
    caller.require(Right.VIEW)
    if not caller.is_person:
        raise NotAllowedError("Only a person has favourites.")
    if is_favourite:
        Favourite.objects.get_or_create(user_id=caller.user_id, visualization=visualization)
    else:
        Favourite.objects.filter(user_id=caller.user_id, visualization=visualization).delete()


def selection_act(
    caller: Caller, chosen: Sequence[Visualization], action: str, value: str = ""
) -> tuple[list[Visualization], list[str]]:
    """Applies an action to each chosen visualization.

    Args:
        action: again, delete, tag, untag, pin, unpin, favourite or unfavourite.
        value: the tag, for `tag` and `untag`.

    Returns:
        The visualizations for which it succeeded, and a sentence for each of the others.

    Raises:
        KeyError: there is no such action.
    """
    act = _ACTIONS[action]
    done, refused = [], []
    for each in chosen:
        try:
            act(caller, each, value)
            done.append(each)
        except (VisualizationsError, RunsError) as error:
            refused.append(f"{each.title}: {error}")
    return done, refused


def _again(caller: Caller, visualization: Visualization, _value: str) -> None:
    render_again(caller, visualization, gateway=provenance.gateway_of(caller, visualization))


_ACTIONS: Final[dict[str, Callable[[Caller, Visualization, str], Any]]] = {
    "again": _again,
    "delete": lambda caller, each, _: cancellation.visualization_delete(caller, each),
    "tag": lambda caller, each, tag: titles.tags_change(caller, each, add=[tag]),
    "untag": lambda caller, each, tag: titles.tags_change(caller, each, remove=[tag]),
    "pin": lambda caller, each, _: titles.pin_set(caller, each, is_pinned=True),
    "unpin": lambda caller, each, _: titles.pin_set(caller, each, is_pinned=False),
    "favourite": lambda caller, each, _: favourite_set(caller, each, is_favourite=True),
    "unfavourite": lambda caller, each, _: favourite_set(caller, each, is_favourite=False),
}


def selection_export(caller: Caller, chosen: Sequence[Visualization]) -> IO[bytes]:
    """Returns a ZIP file, open at its start, with each result as an offline page, and key figures in figures.csv.

    Visualizations without a result, damaged ones, and those beyond 512 MB are listed in left-out.txt.

    Args:
        chosen: visualizations that the caller may see.
    """
    caller.require(Right.VIEW)
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  (the response closes it)
    left_out: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, each in enumerate(chosen, 1):
            if reason := _export(archive, each, number):
                left_out.append(f"{each.title}: {reason}")
        archive.writestr("figures.csv", _figures_csv(chosen))
        if left_out:
            archive.writestr("left-out.txt", "\n".join(left_out) + "\n")
    file.seek(0)
    return file


def _export(archive: zipfile.ZipFile, visualization: Visualization, number: int) -> str:
    """Adds a page; returns why it was left out, or "" on success."""
    if visualization.latest is None or not visualization.latest.html:
        return "it has no result"
    if sum(each.file_size for each in archive.infolist()) > _MOST_EXPORT_BYTES:
        return "the file would be too large"
    name = _UNSAFE.sub("-", visualization.title).strip("-.")[:80] or "visualization"
    try:
        content = result_open(visualization.latest, "html")
        with archive.open(f"{number:03d}-{name}.html", "w") as page:
            for chunk in inline_assets(content):
                page.write(chunk)
    except OSError as error:
        return f"its stored result cannot be read ({error})"
    return ""


def _figures_csv(chosen: Sequence[Visualization]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, "figure", "value", "unit", "better"])
    for each in chosen:
        facts = [_plain(getattr(each, name)) for name in _COLUMNS]
        for figure in each.latest.figures.all() if each.latest else ():
            writer.writerow([*facts, _plain(figure.name), repr(figure.value), _plain(figure.unit), figure.better])
    return text.getvalue()


def _plain(value: Any) -> str:
    """Returns a value as text that spreadsheets do not interpret as a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
