"""Images and texts from folders and tables as cards, one page at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import embedding, files, html, images

if TYPE_CHECKING:
    from .tabular import Table

_TABLES: Final = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"})
_TEXTS: Final = frozenset({".txt", ".text", ".md", ".log"})
_MAX_TEXT: Final = 4_000
_MAX_IMAGE_BYTES: Final = 50_000_000
_PIECE_ROWS: Final = 500
_LABELS: Final = ("label", "labels", "target", "class", "category", "y")


@dataclass(frozen=True)
class Card:
    """One example.

    Attributes:
        label: can be filtered by.
        facts: additional texts by name.
    """

    picture: images.Picture | None = None
    text: str = ""
    caption: str = ""
    label: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """The roles of a table's columns; "" to detect them."""

    image: str = ""
    label: str = ""
    texts: tuple[str, ...] = ()


def read_cards(source: str, source_uri: str, choice: Choice, *, side: int) -> tuple[Iterator[Card], int]:
    """Returns the cards of a source, created lazily, and their number.

    Raises:
        ValueError: nothing can be shown, or a column is missing; the text is for people.
    """
    paths = files.source_files(source, source_uri)
    root = embedding.source_root(source)
    tables = [path for path in paths if _is_table(path)]
    if tables:
        return _table_cards(tables, root, choice, side)
    shown = [path for path in paths if _is_picture(path) or path.suffix.lower() in _TEXTS]
    if not shown:
        raise ValueError(
            f"There are no pictures (PNG, JPEG, GIF, WebP, SVG), texts or tables at {source_uri or source}."
        )
    return (_file_card(path, root, side) for path in shown), len(shown)


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        return images.is_image(file.read(1000))


def _is_table(path: Path) -> bool:
    if path.suffix.lower() in _TABLES:
        return True
    # An artifact rarely has a suffix.
    return not path.suffix and not _is_picture(path)


def _file_card(path: Path, root: Path, side: int) -> Card:
    name = str(path.resolve().relative_to(root)) if path.resolve().is_relative_to(root) else path.name
    folder = str(Path(name).parent) if "/" in name else ""
    if not _is_picture(path):
        with path.open("rb") as file:
            text = file.read(_MAX_TEXT + 4).decode("utf-8", "replace")
        return Card(text=_short(text), caption=Path(name).name, label=folder)
    return Card(picture=_read_picture(path, side), caption=Path(name).name, label=folder)


def _read_picture(path: Path, side: int) -> images.Picture | None:
    return images.thumbnail(path.read_bytes(), side) if path.stat().st_size <= _MAX_IMAGE_BYTES else None


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"


def _table_cards(paths: list[Path], root: Path, choice: Choice, side: int) -> tuple[Iterator[Card], int]:
    from . import tabular

    tables = [(path, tabular.read(str(path), path.name)) for path in paths]
    total = sum(table.total for _, table in tables)
    names = list(dict.fromkeys(name for _, table in tables for name in table.names))
    if not total:
        raise ValueError("The table has no rows.")
    first = tables[0][1]
    for name in filter(None, (choice.image, choice.label, *choice.texts)):
        if name not in names:
            first.require(name)
    rows = first.rows_of(0, 20).to_dicts()
    chosen = _choose(names, rows, paths[0].parent, root, choice)
    return (_row_card(row, place, root, chosen, side) for row, place in _rows(tables)), total


def _rows(tables: Iterable[tuple[Path, Table]]) -> Iterator[tuple[dict[str, Any], Path]]:
    for path, table in tables:
        for start in range(0, table.total, _PIECE_ROWS):
            piece = table.rows_of(start, _PIECE_ROWS)
            yield from ((row, path.parent) for row in piece.iter_rows(named=True))


def _choose(names: list[str], rows: list[dict[str, Any]], place: Path, root: Path, choice: Choice) -> Choice:
    image = choice.image or next(
        (name for name in names if any(_content(row.get(name), place, root) for row in rows)), ""
    )
    label = choice.label or next((name for name in names if name.lower() in _LABELS and name != image), "")
    texts = choice.texts or tuple(name for name in names if name not in {image, label})
    return Choice(image, label, texts)


def _content(value: Any, place: Path, root: Path) -> bytes | None:
    """Returns the image that a cell contains or names."""
    if isinstance(value, str) and value.startswith("{"):
        value = _object_of(value)
    found = images.decode(value)
    if isinstance(value, dict):
        value = value.get("path")
    if found or not isinstance(value, str) or not 0 < len(value) < 1000:
        return found
    path = embedding.find_beside(value, place, root)
    return path.read_bytes() if path and path.stat().st_size <= _MAX_IMAGE_BYTES and _is_picture(path) else None


def _object_of(text: str) -> Any:
    """Returns the object that a cell contains as JSON; the text itself if it contains none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _row_card(row: dict[str, Any], place: Path, root: Path, chosen: Choice, side: int) -> Card:
    content = _content(row.get(chosen.image), place, root) if chosen.image else None
    values = {name: _short(_cell(row.get(name))) for name in chosen.texts}
    long = "" if chosen.image else max(values, key=lambda name: len(values[name]), default="")
    name = row.get(chosen.image)
    return Card(
        picture=images.thumbnail(content, side) if content else None,
        text=values.pop(long, "") if long else "",
        caption=name if isinstance(name, str) and len(name) < 200 and not images.decode(name) else "",
        label=_short(_cell(row.get(chosen.label)))[:200] if chosen.label else "",
        facts={name: value for name, value in values.items() if value},
    )


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def show_cards(cards: Iterable[Card], total: int, *, side: int, max_cards: int, max_bytes: int) -> None:
    """Displays as many of the first cards as the limits allow, and the total number."""
    shown: list[dict[str, Any]] = []
    size = 0
    for card in islice(cards, max_cards):
        made = _shown(card)
        size += len(json.dumps(made))
        if shown and size > max_bytes:
            break
        shown.append(made)
    words = f"{total:,} examples" if len(shown) == total else f"{total:,} examples; the first {len(shown):,} are shown"
    payload = {"cards": shown, "total": total, "side": side}
    html.show(html.component("gallery", payload, inner=_inner(words, shown[:12], side), label="Examples"))


def _shown(card: Card) -> dict[str, Any]:
    picture = card.picture
    about = {
        "src": picture.url if picture else "",
        "size": f"{picture.width} x {picture.height}" if picture and picture.is_reduced else "",
        "text": card.text,
        "caption": card.caption,
        "label": card.label,
        "facts": [[name, value] for name, value in card.facts.items()],
        "missing": picture is None and not card.text and not card.facts,
    }
    return {name: value for name, value in about.items() if value}


def _inner(words: str, cards: Sequence[Mapping[str, Any]], side: int) -> str:
    pieces = []
    for card in cards:
        said = html.text(card.get("caption") or card.get("label") or "example")
        picture = f'<img src="{html.text(card["src"])}" alt="{said}" width="{side}">' if card.get("src") else ""
        pieces.append(f"<li>{picture}<p>{said}</p><p>{html.text(card.get('text', ''))}</p></li>")
    return f'<p class="vk-muted">{html.text(words)}</p><ul class="vk-gallery-cards">{"".join(pieces)}</ul>'
