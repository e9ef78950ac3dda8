"""Saved results as the source of a comparison: the contents of each, read from its executed notebook.

The portal puts them into one folder: `results.json`, a list of objects with `label`, `file` (the notebook's name; "" if
there is none) and `figures`, and the notebooks themselves. A notebook contains the output of untrusted code, so it is
read only inside the sandbox, and parts in an unknown format are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

Spec = dict[str, Any]
Cells = list[list[str | None]]

RESULTS_FILE: Final = "results.json"
_SPEC: Final = re.compile(r'<script type="application/json" class="vizkit-spec">(.*?)</script>', re.DOTALL)
_SPECS: Final = re.compile(r'<script type="application/json" class="vizkit-specs">(.*?)</script>', re.DOTALL)
_GRID: Final = re.compile(r'data-vizkit="datatable".*?<script type="application/json">(.*?)</script>', re.DOTALL)
_IMAGE: Final = re.compile(r'<img\b[^<>]*?\bsrc="(data:image/[\w.+-]+;base64,[A-Za-z0-9+/=\s]+)"')
_VEGA: Final = re.compile(r"application/vnd\.vega(lite)?\.v\d+(\.\d+)*\+json")
_PICTURES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
_MOST_CELLS: Final = 2_000_000


@dataclass(frozen=True)
class Figure:
    """A key figure of a result; `better` is higher, lower or none."""

    value: float
    unit: str = ""
    better: str = "none"


@dataclass(frozen=True)
class SavedTable:
    """A table of a result.

    Attributes:
        columns: unique names.
        rows: texts; None for no value.
        total: the number of rows in the source; more than `rows` if the result shows only the first.
    """

    columns: list[str]
    rows: Cells
    total: int


@dataclass(frozen=True)
class SavedResult:
    """The contents of one result, in the order of its page.

    Attributes:
        label: distinguishes it from the others.
        pictures: data URLs.
        texts: printed output and values shown as text.
        is_read: False if it has no notebook, or an unreadable one.
    """

    label: str
    figures: Mapping[str, Figure]
    charts: list[Spec] = field(default_factory=list)
    tables: list[SavedTable] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_read: bool = True


def read_results(source: str) -> list[SavedResult]:
    """Returns the results in a folder, in the order in which they were selected.

    Raises:
        ValueError: the source is not such a folder; the text is for people.
    """
    path = Path(source, RESULTS_FILE)
    if not source or not path.is_file():
        raise ValueError("This type compares saved results. Choose some in the gallery and press Compare.")
    return [_read(Path(source), each) for each in json.loads(path.read_text(encoding="utf-8"))]


def _read(folder: Path, facts: Mapping[str, Any]) -> SavedResult:
    figures = {
        each["name"]: Figure(float(each["value"]), each.get("unit", ""), each.get("better", "none"))
        for each in facts["figures"]
    }
    found = SavedResult(label=str(facts["label"]), figures=figures, is_read=bool(facts["file"]))
    if not facts["file"]:
        return found
    try:
        notebook = json.loads((folder / str(facts["file"])).read_text(encoding="utf-8"))
        outputs = list(_outputs(notebook))
    except (ValueError, RecursionError, TypeError, AttributeError):
        return SavedResult(label=found.label, figures=figures, is_read=False)
    for output in outputs:
        _take(output, found)
    return found


def _outputs(notebook: Any) -> Iterator[dict[str, Any]]:
    for cell in notebook["cells"] if isinstance(notebook.get("cells"), list) else ():
        for output in cell.get("outputs") or ():
            if output.get("output_type") == "stream":
                yield {"text/plain": output.get("text")}
            elif isinstance(output.get("data"), dict):
                yield output["data"]


def _take(bundle: Mapping[str, Any], found: SavedResult) -> None:
    """Adds the contents of one output, in the form that a page prefers."""
    for mime in bundle:
        if _VEGA.fullmatch(mime) and isinstance(bundle[mime], dict):
            found.charts.append(bundle[mime])
            return
    if "text/html" in bundle:
        _take_markup(_text(bundle["text/html"]), found)
        return
    for mime in _PICTURES:
        if mime in bundle:
            found.pictures.append(f"data:{mime};base64,{''.join(_text(bundle[mime]).split())}")
            return
    text = _text(bundle.get("text/plain"))
    if text.strip() and not any(mime.startswith("application/") for mime in bundle):
        found.texts.append(text)


def _take_markup(markup: str, found: SavedResult) -> None:
    found.charts.extend(spec for text in _SPEC.findall(markup) if isinstance(spec := _json(text), dict))
    for text in _SPECS.findall(markup):
        several = _json(text)
        if isinstance(several, dict) and isinstance(several.get("first"), dict):
            found.charts.append(several["first"])
    grids = [table for text in _GRID.findall(markup) if (table := _grid(_json(text)))]
    found.tables.extend(grids)
    found.pictures.extend("".join(each.split()) for each in _IMAGE.findall(markup))
    if not grids and "data-vizkit" not in markup and "<table" in markup:
        found.tables.extend(_plain_tables(markup))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _grid(payload: Any) -> SavedTable | None:
    """Returns the table of a `datatable`, whose cells are stored by column."""
    try:
        names = [str(each["name"]) for each in payload["columns"]]
        columns = [[None if cell is None else str(cell) for cell in column] for column in payload["cells"]]
        return SavedTable(_distinct(names), [list(row) for row in zip(*columns, strict=True)], int(payload["total"]))
    except (KeyError, TypeError, ValueError):
        return None


def _distinct(names: list[str]) -> list[str]:
    """Returns unique names; a repeated one gets a number."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made


class _Tables(HTMLParser):
    """Collects the texts of tables' cells; a nested table counts as text of the outer cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Cells] = []
        self._depth = 0
        self._cell: list[str] | None = None
        self._count = 0

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        self._depth += tag == "table"
        if self._depth != 1 or self._count > _MOST_CELLS:
            return
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._depth == 1 and self._cell is not None:
            if not self.tables[-1]:
                self.tables[-1].append([])
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell, self._count = None, self._count + 1
        self._depth = max(0, self._depth - (tag == "table"))

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def _plain_tables(markup: str) -> list[SavedTable]:
    """Returns the tables in a page's markup, such as data frames; the first line contains the names."""
    parser = _Tables()
    parser.feed(markup)
    parser.close()
    made = []
    for lines in parser.tables:
        head, *rows = [line for line in lines if line] or [[]]
        width = len(head)
        if width and rows:
            names = _distinct([name or f"column {place}" for place, name in enumerate(head, 1)])
            made.append(SavedTable(names, [[*row, *[None] * width][:width] for row in rows], len(rows)))
    return made


def _text(value: Any) -> str:
    """Returns a notebook's text, which may be one text or a list of lines."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return value if isinstance(value, str) else ""
